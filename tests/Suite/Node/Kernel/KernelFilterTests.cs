using System.Net;
using NftCluster.Lab;
using NftCluster.Messages;
using NftCluster.Node.Pipeline;
using NftCluster.Tests.Lab;
using NftCluster.Tests.Node.Export;
using NftCluster.Tests.Node.Kernel.Filter;

namespace NftCluster.Tests.Node.Kernel;

/// <summary>The filters in the kernel give libpcap's answer: concurrent sessions beside tcpdump, on the same real packets.</summary>
[Collection(RunningNode.Collection)]
public sealed class KernelFilterTests : IDisposable
{
    private static readonly string[] _expressions =
    [
        "udp", "tcp", "icmp", "icmp6", "ip", "ip6", "host 10.3.0.2", "src host 10.1.0.2", "dst host 10.3.0.2 and udp", "port 40003",
        "udp dst port 40007", "udp portrange 40005-40009", "tcp[tcpflags] & (tcp-syn|tcp-fin) != 0", "tcp[tcpflags] == tcp-syn",
        "ip[2:2] > 576", "greater 700", "less 100", "not udp", "ip6 and udp", "ip6 host fd03::2", "dst net 10.3.0.0/16",
        "icmp[icmptype] = icmp-echo", "udp[4:2] = 48", "ether proto 0x86dd", "tcp or udp port 40000", "ip6[6] = 58", "ip[8] = 63",
    ];

    private readonly TempDirectory _directory = new();

    [Fact]
    public async Task Each_session_gets_exactly_the_packets_that_libpcap_says()
    {
        Root.Required();
        using LabNetwork lab = Root.Line();
        string router = lab.NamespaceOf("r1");
        await using var node = RunningNode.Start();
        using var inside = PacketCapture.Start(router, "eth0", _directory.File("eth0.pcap"));
        using var outside = PacketCapture.Start(router, "eth1", _directory.File("eth1.pcap"));
        RunningSession everything = await node.OpenAsync("all", router, null);
        Dictionary<string, RunningSession> sessions = [];
        foreach (string expression in _expressions)
        {
            sessions[expression] = await node.OpenAsync($"f{sessions.Count}", router, expression);
        }

        SendMix(lab);
        foreach (RunningSession session in sessions.Values.Append(everything))
        {
            Assert.Equal("STOPPED", (await session.StopAsync()).Session.State);
        }
        inside.Stop();
        outside.Stop();

        PcapPacket[] packets = [.. PcapFile.Read(inside.File), .. PcapFile.Read(outside.File)];
        string[] all = Keys(packets);
        Assert.True(all.Length > 100, $"only {all.Length} packets were sent");
        Assert.Equal(all, Keys(everything));
        Assert.All(_expressions, expression =>
        {
            using PcapTruth truth = new(expression);
            string[] expected = Keys(packets.Where(p => truth.Matches(p.Bytes.Span, (uint)p.OriginalLength)));
            Assert.NotEmpty(expected);
            Assert.Equal(expected, Keys(sessions[expression]));
        });
        Assert.Empty(node.Failures);
    }

    public void Dispose() => _directory.Dispose();

    private static void SendMix(LabNetwork lab)
    {
        foreach (bool ipv6 in new[] { false, true })
        {
            TrafficRequest request = new() { Count = 3, Rate = 200, Ipv6 = ipv6 };
            Traffic.Ping(lab, request);
            Traffic.Udp(lab, request with { Count = 12, SpreadPorts = true, Size = 40 });
            Traffic.Udp(lab, request with { Count = 5, SpreadPorts = true, Size = 800 });
            Traffic.Tcp(lab, request);
            Traffic.Closed(lab, request with { Count = 1 });
        }
    }

    // The traffic's own packets, as sets: neighbours and routers talk at any time.
    private static string[] Keys(IEnumerable<PcapPacket> packets) => Sorted(packets.Select(p =>
    {
        PacketHeader.Parse(p.Bytes.Span, (uint)p.OriginalLength, 1, out PacketHeader h);
        bool ipv6 = h.Has(HeaderParts.IPv6);
        int bytes = ipv6 ? 16 : 4;
        string source = new IPAddress(((ReadOnlySpan<byte>)h.Source)[..bytes]).ToString();
        string destination = new IPAddress(((ReadOnlySpan<byte>)h.Destination)[..bytes]).ToString();
        return h.Has(HeaderParts.Ports) || h.Has(HeaderParts.Echo)
            ? $"{source} {destination} {(h.Has(HeaderParts.Ports) ? $"{h.SourcePort} {h.DestinationPort}" : h.SourcePort >> 8)} {(ipv6 ? 0 : h.IpId)} {h.Length} {h.TcpSeq} {h.TcpAck} {h.IcmpSequence}"
            : "";
    }));

    private static string[] Keys(RunningSession session) => Sorted(session.Traces.Select(t => (t.In ?? t.Out) is { } side && (side.SrcPort is not null || side.IcmpSeq is not null) ? Key(side) : ""));

    private static string Key(PacketSide side) =>
        $"{side.SrcIp} {side.DstIp} {(side.SrcPort is not null ? $"{side.SrcPort} {side.DstPort}" : side.IcmpType)} {side.IpId ?? 0} {side.Length} {side.TcpSeq ?? 0} {side.TcpAck ?? 0} {side.IcmpSeq ?? 0}";

    private static string[] Sorted(IEnumerable<string> keys) => [.. keys.Where(k => k.Length > 0).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
}
