using System.Net;
using System.Net.Sockets;
using NftCluster.Lab;
using NftCluster.Messages;
using NftCluster.Tests.Lab;

namespace NftCluster.Tests.Truth;

/// <summary>A router between two VLANs: each packet passes two devices on each side, and is one packet.</summary>
[Collection(TruthTestGroup.Name)]
public sealed class VlanTruthTests
{
    private const string Vlans = """
        {
          "name": "vlan",
          "hosts": [
            { "name": "left", "commands": [
              "ip link add eth0.42 link eth0 type vlan id 42", "ip link set eth0.42 up", "ip address add 10.42.0.2/24 dev eth0.42", "ip route add default via 10.42.0.1" ] },
            { "name": "router", "forwarding": true, "commands": [
              "ip link add eth0.42 link eth0 type vlan id 42", "ip link set eth0.42 up", "ip address add 10.42.0.1/24 dev eth0.42",
              "ip link add eth1.43 link eth1 type vlan id 43", "ip link set eth1.43 up", "ip address add 10.43.0.1/24 dev eth1.43" ] },
            { "name": "right", "commands": [
              "ip link add eth0.43 link eth0 type vlan id 43", "ip link set eth0.43 up", "ip address add 10.43.0.2/24 dev eth0.43", "ip route add default via 10.43.0.1" ] },
          ],
          "links": [
            { "a": { "host": "left", "device": "eth0" }, "b": { "host": "router", "device": "eth0" } },
            { "a": { "host": "right", "device": "eth0" }, "b": { "host": "router", "device": "eth1" } },
          ],
        }
        """;

    private static readonly IPEndPoint _server = new(IPAddress.Parse("10.43.0.2"), 4000);

    [Fact]
    public async Task A_packet_from_VLAN_to_VLAN_is_one_trace_that_names_both()
    {
        TruthRun.Required();
        Assert.SkipUnless(Directory.Exists("/proc/net/vlan"), "needs VLANs: modprobe 8021q");
        using var lab = LabNetwork.Up(TopologyFile.Parse(Vlans), Root.NewPrefix());
        int count = TruthSettings.UdpPackets;

        TruthRun run = await TruthRun.WatchAsync(lab, ["router"], () => Talk(lab, count));

        run.AssertAgreement();
        TraceRecord[] udp = [.. run.Hosts["router"].Traces.Where(trace => trace.ProtocolName == "UDP")];
        Assert.Equal(2 * count, udp.Length);
        TraceRecord[] wrong = [.. udp.Where(trace => !IsFromVlanToVlan(trace))];
        Assert.True(wrong.Length == 0, $"{wrong.Length} of {udp.Length} do not go from VLAN to VLAN: {string.Join('\n', wrong.Take(3).Select(TraceRules.Words))}");
    }

    // On the way in the kernel takes the tag off and goes another round, past no door: the VLAN device shows on the way out only.
    private static bool IsFromVlanToVlan(TraceRecord trace)
    {
        string[] devices = [.. trace.Events.Select(e => e.Device).OfType<string>().Distinct(StringComparer.Ordinal)];
        return (trace.In is { Device: "eth0", VlanId: 42 } && trace.Out is { Device: "eth1", VlanId: 43 } && devices is ["eth0", "eth1.43", "eth1"])
            || (trace.In is { Device: "eth1", VlanId: 43 } && trace.Out is { Device: "eth0", VlanId: 42 } && devices is ["eth1", "eth0.42", "eth0"]);
    }

    // Each datagram is answered before the next is sent: when the last answer is there, nothing is under way.
    private static void Talk(LabNetwork lab, int count)
    {
        using Socket answering = NetworkNamespace.Run(lab.NamespaceOf("right"), Udp);
        answering.Bind(_server);
        using Socket asking = NetworkNamespace.Run(lab.NamespaceOf("left"), Udp);
        asking.Connect(_server);
        byte[] buffer = new byte[64];
        for (int i = 0; i < count; i++)
        {
            asking.Send(BitConverter.GetBytes(i));
            EndPoint peer = new IPEndPoint(IPAddress.Any, 0);
            int length = answering.ReceiveFrom(buffer, ref peer);
            answering.SendTo(buffer.AsSpan(0, length), SocketFlags.None, peer);
            Assert.Equal(length, asking.Receive(buffer));
        }
    }

    private static Socket Udp() => new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { ReceiveTimeout = 30_000 };
}
