using System.Net;
using System.Net.Sockets;
using System.Text;
using NftCluster.Lab;
using NftCluster.Messages;
using NftCluster.Tests.Faults;
using NftCluster.Tests.Lab;
using NftCluster.Tests.Node.Export;

namespace NftCluster.Tests.Cli;

/// <summary>Bytes of payload: none unless asked for, and then no more than that.</summary>
public sealed class SnapBytesTests
{
    [Theory]
    [InlineData(0, null)]
    [InlineData(4, "hell")]
    [InlineData(32, "hello, kernel")]
    public async Task So_many_bytes_of_payload_are_kept_as_were_asked_for(int bytes, string? kept)
    {
        Root.Required();
        using QuietNetwork network = new();
        using TempDirectory directory = new();
        string ready = directory.File("ready");
        using var trace = RunningProgram.Start("trace", "--netns", network.Name, "--export", directory.Path, "--summary", "--ready-file", ready, "--snap-bytes", $"{bytes}", "udp");
        await Eventually.HoldsAsync(() => trace.HasExited || File.Exists(ready), trace.Describe);
        NetworkNamespace.Run(network.Name, () =>
        {
            using Socket socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            return socket.SendTo(Encoding.ASCII.GetBytes("hello, kernel"), new IPEndPoint(IPAddress.Loopback, 9));
        });
        trace.Signal(RunningProgram.Terminate);
        Assert.True(await trace.ExitAsync() == 0, trace.Describe());

        TraceRecord seen = Exports.Read(Assert.Single(Exports.In(directory.Path))).Traces.First(one => one.DstPort == 9);

        Assert.Equal(kept, (seen.In ?? seen.Out)!.Payload is { } hex ? Encoding.ASCII.GetString(Convert.FromHexString(hex)) : null);
        Assert.Empty(ExportSchema.Validate(Assert.Single(Exports.In(directory.Path))));
    }

    [Fact]
    public async Task More_than_the_kernel_half_samples_is_refused()
    {
        using var refused = RunningProgram.Start("trace", "--snap-bytes", "33");

        Assert.Equal(1, await refused.ExitAsync());
        Assert.Contains(refused.Errors, line => line.Contains("--snap-bytes", StringComparison.Ordinal));
    }
}
