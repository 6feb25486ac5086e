using NftCluster.Tests.Lab;
using NftCluster.Tests.Node.Export;

namespace NftCluster.Tests.Faults;

/// <summary>Somebody holds standard output open and does not read it (a pager, a stopped program).</summary>
public sealed class StalledReaderTests
{
    /// <summary>A pipe holds 64 KiB: some thirty of these as JSON.</summary>
    private const int Packets = 500;

    [Theory]
    [InlineData("--json")]
    [InlineData("")]
    public async Task A_signal_ends_the_trace_with_its_whole_export_and_one_line(string option)
    {
        Root.Required();
        using QuietNetwork network = new();
        using TempDirectory directory = new();
        using RunningProgram trace = await StartAsync(network, directory, option);
        network.SendToPorts(20_001, Packets);

        trace.Signal(RunningProgram.Terminate);

        Assert.True(await trace.ExitAsync() == 1, trace.Describe());
        Assert.Equal(Enumerable.Range(20_001, Packets), Exports.PortsOf(Exports.Read(Assert.Single(Exports.In(directory.Path))).Traces));
        Assert.Single(trace.Errors, line => line.Contains("nobody read standard output: the rest was not written there", StringComparison.Ordinal));
        Assert.All(trace.Errors, line => Assert.StartsWith("nftcluster: ", line, StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_end_of_the_time_completes_the_export_while_the_reader_is_still_waited_for()
    {
        Root.Required();
        using QuietNetwork network = new();
        using TempDirectory directory = new();
        using RunningProgram trace = await StartAsync(network, directory, "--json --duration 2s");
        network.SendToPorts(20_001, Packets);

        await trace.SaysAsync("nftcluster: exported ");

        Exports.Read(Assert.Single(Exports.In(directory.Path)));
        Assert.False(trace.HasExited, trace.Describe());
        trace.Signal(RunningProgram.Interrupt);
        Assert.True(await trace.ExitAsync() == 1, trace.Describe());
    }

    private static async Task<RunningProgram> StartAsync(QuietNetwork network, TempDirectory directory, string options)
    {
        string pipe = directory.File("pipe");
        string ready = directory.File("ready");
        // Both ends are the trace's own: there is a reader, and it never reads.
        var trace = RunningProgram.StartOther(
            "bash", "-c", $"mkfifo {pipe} && exec '{RunningProgram.Executable}' trace --netns {network.Name} --export {directory.Path} --ready-file {ready} {options} udp 1<>{pipe}");
        await Eventually.HoldsAsync(() => trace.HasExited || File.Exists(ready), trace.Describe);
        return trace;
    }
}
