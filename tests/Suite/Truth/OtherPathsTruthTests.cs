using System.Net;
using System.Net.Sockets;
using NftCluster.Lab;
using NftCluster.Messages;
using NftCluster.Tests.Lab;

namespace NftCluster.Tests.Truth;

/// <summary>Paths through a host that are not routing: a bridge, and the loopback device.</summary>
[Collection(TruthTestGroup.Name)]
public sealed class OtherPathsTruthTests
{
    private const string Bridge = """
        {
          "name": "bridge",
          "hosts": [
            { "name": "left" },
            { "name": "sw", "commands": [ "ip link add br0 type bridge mcast_snooping 0", "ip link set eth0 master br0", "ip link set eth1 master br0", "ip link set br0 up" ] },
            { "name": "right" },
          ],
          "links": [
            { "a": { "host": "left", "device": "eth0", "addresses": [ "10.9.0.1/24" ] }, "b": { "host": "sw", "device": "eth0" } },
            { "a": { "host": "right", "device": "eth0", "addresses": [ "10.9.0.2/24" ] }, "b": { "host": "sw", "device": "eth1" } },
          ],
        }
        """;

    private const string Solo = """{ "name": "solo", "hosts": [ { "name": "solo" } ] }""";

    [Fact]
    public async Task A_bridge_carries_each_packet_in_one_trace()
    {
        TruthRun.Required();
        using var lab = LabNetwork.Up(TopologyFile.Parse(Bridge), Root.NewPrefix());

        TruthRun run = await TruthRun.WatchAsync(lab, ["sw"], () =>
        {
            var udp = new TrafficRequest { Count = TruthSettings.UdpPackets, Rate = TruthSettings.Rate, SpreadPorts = true };
            Assert.Equal(udp.Count, Traffic.Udp(lab, udp).Received);
            Assert.Equal(TruthSettings.TcpConnections, Traffic.Tcp(lab, new TrafficRequest { Count = TruthSettings.TcpConnections }).Received);
            new LabExchange(lab).Settle("left", "right");
        }, devices: ["eth0", "eth1", "br0"]); // br0: what is broadcast (ARP) comes to the bridge's own host, too, a visit of its own

        run.AssertAgreement(hops: 0);
    }

    [Fact]
    public async Task A_packet_on_the_loopback_device_leaves_and_comes_in_in_one_visit()
    {
        TruthRun.Required();
        using var lab = LabNetwork.Up(TopologyFile.Parse(Solo), Root.NewPrefix());
        int count = TruthSettings.UdpPackets;

        TruthRun run = await TruthRun.WatchAsync(lab, ["solo"], () => Talk(lab, count), devices: ["lo"]);

        HostObservation solo = run.Hosts["solo"];
        // On the loopback device libpcap shows each packet once, as it comes in.
        Dictionary<Packet, int> captured = Counted(solo.Captured.Where(c => c.Place == "lo in").Select(c => c.Packet));
        Dictionary<Packet, int> traced = Counted(solo.Traces.Select(trace => Packet.Of(trace.Out!)));
        Assert.Equal(2 * count, solo.Traces.Count);
        Assert.Equal(captured.Count, traced.Count);
        Assert.All(captured, entry => Assert.Equal((entry.Key, entry.Value), (entry.Key, traced.GetValueOrDefault(entry.Key))));
        foreach (TraceRecord trace in solo.Traces)
        {
            AssertOutThenIn(trace);
        }
    }

    private static void AssertOutThenIn(TraceRecord trace)
    {
        string[] names = [.. trace.Events.Select(e => e.FuncName)];
        int left = Array.IndexOf(names, "net_dev_start_xmit");
        int came = Array.FindIndex(names, name => name is "netif_rx" or "netif_receive_skb");
        Assert.True(left >= 0 && came > left, TraceRules.Words(trace));
    }

    private static Dictionary<Packet, int> Counted(IEnumerable<Packet> packets) =>
        packets.GroupBy(packet => packet).ToDictionary(group => group.Key, group => group.Count());

    // Each datagram is answered before the next is sent: nothing waits in a queue.
    private static void Talk(LabNetwork lab, int count) => NetworkNamespace.Run(lab.NamespaceOf("solo"), () =>
    {
        using var server = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { ReceiveTimeout = 30_000 };
        server.Bind(new IPEndPoint(IPAddress.Loopback, 4000));
        using var client = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { ReceiveTimeout = 30_000 };
        client.Connect(new IPEndPoint(IPAddress.Loopback, 4000));
        byte[] buffer = new byte[64];
        for (int i = 0; i < count; i++)
        {
            client.Send(BitConverter.GetBytes(i));
            EndPoint peer = new IPEndPoint(IPAddress.Any, 0);
            int length = server.ReceiveFrom(buffer, ref peer);
            server.SendTo(buffer.AsSpan(0, length), SocketFlags.None, peer);
            client.Receive(buffer);
        }
    });
}
