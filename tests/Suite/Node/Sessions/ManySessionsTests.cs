using System.Net;
using System.Net.Sockets;
using NftCluster.Lab;
using NftCluster.Node.Sessions;
using NftCluster.Tests.Lab;
using NftCluster.Tests.Node.Kernel;

namespace NftCluster.Tests.Node.Sessions;

/// <summary>Many sessions on one set of attachments, on the running kernel.</summary>
[Collection(RunningNode.Collection)]
public sealed class ManySessionsTests
{
    private const int Sessions = 50;
    private const int PacketsEach = 3;
    private const int FirstPort = 30_000;

    private static readonly Topology _alone = TopologyFile.Parse("""
        {
          "name": "alone",
          "hosts": [ { "name": "a" }, { "name": "b" } ],
          "links": [ { "a": { "host": "a", "device": "eth0", "addresses": [ "10.0.0.1/24" ] }, "b": { "host": "b", "device": "eth0", "addresses": [ "10.0.0.2/24" ] } } ]
        }
        """);

    [Fact]
    public async Task Fifty_sessions_share_one_set_of_attachments_and_each_gets_exactly_its_packets()
    {
        Root.Required();
        using var lab = LabNetwork.Up(_alone, Root.NewPrefix());
        string netns = lab.NamespaceOf("a");
        await using var node = RunningNode.Start();
        int before = Programs();
        int[] attached = await AttachedAsync(node);

        List<RunningSession> sessions = [];
        for (int i = 0; i < Sessions; i++)
        {
            sessions.Add(await node.OpenAsync($"s{i}", netns, $"udp dst port {FirstPort + i}"));
        }
        Assert.Equal((before, attached.Length), (Programs(), (await AttachedAsync(node)).Length));
        Assert.Equal(attached, await AttachedAsync(node));
        NetworkNamespace.Run(netns, SendToEach);
        SessionEnded[] ended = await Task.WhenAll(sessions.Select(s => s.StopAsync()));

        Assert.All(ended, e => Assert.Equal(("STOPPED", (long)PacketsEach), (e.Session.State, e.Statistics.TotalPackets)));
        Assert.All(sessions.Index(), s => Assert.Equal(Enumerable.Repeat((int?)(FirstPort + s.Index), PacketsEach), s.Item.Traces.Select(t => t.DstPort)));
        Assert.All(ended, e => Assert.All(e.Statistics.Losses, loss => Assert.Equal($"{loss.Stage} 0", $"{loss.Stage} {loss.Count}")));
        Assert.Empty(node.Failures);
    }

    [Fact]
    public async Task Sessions_that_come_while_others_go_do_not_disturb_each_other()
    {
        Root.Required();
        using var lab = LabNetwork.Up(_alone, Root.NewPrefix());
        string netns = lab.NamespaceOf("a");
        await using var node = RunningNode.Start();
        RunningSession old = await node.OpenAsync("same-name", netns, $"udp dst port {FirstPort}");
        for (int round = 0; round < 10; round++)
        {
            Task<SessionEnded> ending = old.StopAsync();
            RunningSession next = await node.OpenAsync("same-name", netns, $"udp dst port {FirstPort + round}");
            NetworkNamespace.Run(netns, SendToEach);

            Assert.Equal("STOPPED", (await ending).Session.State);
            old = next;
            SessionStatus status = await old.Ref.AskAsync<SessionStatus>(reply => new GetStatus(reply), TimeSpan.FromSeconds(10), CancellationToken.None);
            Assert.Equal(SessionState.Running, status.State);
        }

        Assert.Equal(PacketsEach, (await old.StopAsync()).Statistics.TotalPackets);
        Assert.Empty(node.Failures);
    }

    private static void SendToEach()
    {
        Socket[] receivers = [.. Enumerable.Range(FirstPort, Sessions).Select(Bound)];
        using Socket sender = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        for (int packet = 0; packet < PacketsEach; packet++)
        {
            foreach (Socket receiver in receivers)
            {
                sender.SendTo(new byte[32], receiver.LocalEndPoint!);
            }
        }
        foreach (Socket receiver in receivers)
        {
            receiver.Dispose();
        }
    }

    private static Socket Bound(int port)
    {
        Socket socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
        return socket;
    }

    private static async Task<int[]> AttachedAsync(RunningNode node) =>
        [.. (await node.Host.ProbesAsync(CancellationToken.None)).Probes.Where(p => p.Backend is not null).Select(p => p.ProgramFd)];

    /// <summary>BPF programs and links that this process holds.</summary>
    private static int Programs() => Directory.GetFiles("/proc/self/fd").Count(IsBpf);

    private static bool IsBpf(string descriptor)
    {
        try
        {
            return File.ResolveLinkTarget(descriptor, returnFinalTarget: false)?.Name.Contains("bpf", StringComparison.Ordinal) == true;
        }
        catch (FileNotFoundException)
        {
            return false; // another test's, closed meanwhile
        }
    }
}
