using System.Net;
using System.Net.Sockets;
using NftCluster.Lab;
using NftCluster.Tests.Lab;

namespace NftCluster.Tests.Faults;

/// <summary>A network namespace of one test's own with only a loopback device, gone with the test: nobody else sends there.</summary>
internal sealed class QuietNetwork : IDisposable
{
    private static readonly byte[] _payload = new byte[22];

    public QuietNetwork()
    {
        Name = Root.NewPrefix();
        Run("netns", "add", Name);
        Run("-n", Name, "link", "set", "lo", "up");
    }

    public string Name { get; }

    public string Path => $"/run/netns/{Name}";

    /// <summary>One datagram to each of these ports, where nobody listens: the kernel drops it with a reason.</summary>
    public void SendToPorts(int first, int count) => Send(Enumerable.Range(first, count));

    public void Flood(int count) => Send(Enumerable.Repeat(9, count));

    public void Dispose() => Run("netns", "del", Name);

    private static void Run(params string[] arguments)
    {
        ToolResult result = Tool.Run("ip", arguments);
        Assert.True(result.ExitCode == 0, result.Errors);
    }

    private void Send(IEnumerable<int> ports) => NetworkNamespace.Run(Name, () =>
    {
        using Socket socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        SocketAddress? address = null;
        int last = -1;
        foreach (int port in ports)
        {
            address = port == last ? address : new IPEndPoint(IPAddress.Loopback, port).Serialize();
            last = port;
            _ = socket.SendTo(_payload, SocketFlags.None, address!);
        }
    });
}
