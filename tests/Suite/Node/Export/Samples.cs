using NftCluster.Messages;

namespace NftCluster.Tests.Node.Export;

/// <summary>Traces and sessions that look like real ones.</summary>
internal static class Samples
{
    public static SessionRecord Session(string id = "s1") => new()
    {
        Id = id,
        Mode = "full",
        State = "STOPPED",
        StartTime = "2025-01-31T14:03:05.999999999Z",
        EndTime = "2025-01-31T14:03:15.000000001Z",
        Host = "router",
        KernelRelease = "6.12.0",
        Version = "0.1.0",
        Filter = "udp port 5000",
        Netns = "/run/netns/r1",
        Probes = 34,
        Quality = "valuable",
    };

    public static SessionRecord BareSession() => Session() with { EndTime = null, Filter = null, Netns = null, Probes = null };

    public static StatisticsRecord Statistics(long lost = 0) => new()
    {
        TotalEvents = 12_345,
        TotalPackets = 1_204,
        ValuablePackets = 1_100,
        ExportedPackets = 0,
        FunctionsTraced = 34,
        TopFunctions = [new FunctionCount("ip_rcv", 1_204), new FunctionCount("ip_forward", 1_100)],
        EventsPerSecond = 1_234.6,
        Verdicts = new Dictionary<string, long>(StringComparer.Ordinal) { ["forwarded"] = 1_200, ["dropped"] = 4 },
        DropReasons = new Dictionary<string, long>(StringComparer.Ordinal) { ["NO_SOCKET"] = 4 },
        DuplicateEvents = 7,
        Losses =
        [
            new LossRecord { Stage = "probe-missed", Kind = "events", Count = 0 },
            new LossRecord { Stage = "ring-full", Kind = "events", Count = lost, From = lost == 0 ? null : "2025-01-31T14:03:08Z", To = lost == 0 ? null : "2025-01-31T14:03:09Z" },
        ],
    };

    public static PacketSide Side(string device, int ifindex, int ttl) => new()
    {
        Device = device,
        Ifindex = ifindex,
        Protocol = "UDP",
        SrcIp = "10.1.0.2",
        DstIp = "10.3.0.2",
        SrcPort = 40_000,
        DstPort = 5_000,
        Ttl = ttl,
        IpId = 7,
        Length = 128,
        PayloadLength = 100,
    };

    /// <summary>A UDP packet that a router sends on, source address translated.</summary>
    public static TraceRecord Forwarded(string key = "0xffff8881/4026532281/1")
    {
        EventRecord[] events =
        [
            Event(0, "netif_receive_skb", "device", "NIC", "r1c", 64),
            Event(1_300, "ip_rcv", "ip", "PREROUTING", "r1c", 64),
            Event(2_700, "nf_hook_slow", "netfilter", "PREROUTING", "r1c", 64) with { Detail = "hook=PREROUTING pf=inet4" },
            Event(9_950, "ip_forward", "ip", "FORWARD", "r1c", 64),
            Event(12_250, "ip_output", "ip", "output", "r1s", 63),
            Event(84_300, "net_dev_start_xmit", "device", "TX", "r1s", 63) with { SrcIp = "192.0.2.1", SrcPort = 1_024 },
        ];
        return new TraceRecord
        {
            Key = key,
            SkbAddr = "0xffff8881",
            ProtocolName = "UDP",
            SrcIp = "10.1.0.2",
            DstIp = "10.3.0.2",
            SrcPort = 40_000,
            DstPort = 5_000,
            FirstSeen = "2025-01-31T14:03:07.123456789Z",
            LastSeen = "2025-01-31T14:03:07.123541089Z",
            DurationNs = 84_300,
            Direction = "forward",
            FinalVerdict = "forwarded",
            FunctionsCalled = [.. events.Select(e => e.FuncName)],
            Complete = true,
            In = Side("r1c", 2, 64),
            Out = Side("r1s", 3, 63) with { SrcIp = "192.0.2.1", SrcPort = 1_024 },
            Netns = 4_026_532_281,
            Events = events,
            NftEvents = [],
        };
    }

    /// <summary>A UDP packet to a port that nobody listens on; the trace was not closed by an end that was seen.</summary>
    /// <summary>The same at that time, ns since 1970.</summary>
    public static TraceRecord ForwardedAt(long ns)
    {
        TraceRecord sample = Forwarded();
        return sample with
        {
            FirstSeen = TraceTime.Format(ns),
            LastSeen = TraceTime.Format(ns + sample.DurationNs),
            Events = [.. sample.Events.Select(seen => seen with { Timestamp = TraceTime.Format(ns + seen.OffsetNs) })],
            NftEvents = [],
        };
    }

    public static TraceRecord Dropped()
    {
        EventRecord[] events =
        [
            Event(0, "netif_receive_skb", "device", "NIC", "eth0", 63) with { DstPort = 9 },
            Event(2_100_000, "__udp4_lib_rcv", "transport", "transport", "eth0", 63) with { DstPort = 9, Comm = "ksoftirqd/1", Pid = 21 },
            Event(2_100_640, "kfree_skb", "skb", "drop", "eth0", 63) with { DstPort = 9, Detail = "reason=NO_SOCKET at=__udp4_lib_rcv+0x5a" },
        ];
        return Forwarded() with
        {
            DstPort = 9,
            Direction = "inbound",
            FinalVerdict = "dropped",
            DropReason = "NO_SOCKET",
            DropFunction = "__udp4_lib_rcv+0x5a",
            LastSeen = "2025-01-31T14:03:07.125557429Z",
            DurationNs = 2_100_640,
            FunctionsCalled = [.. events.Select(e => e.FuncName)],
            Complete = false,
            IncompleteReason = "timeout",
            In = Side("eth0", 2, 63) with { DstPort = 9 },
            Out = null,
            Events = events,
        };
    }

    /// <summary>Every optional field present.</summary>
    public static TraceRecord Full() => Dropped() with
    {
        In = Side("eth0", 2, 63) with
        {
            VlanId = 100,
            TcpSeq = uint.MaxValue,
            TcpAck = 1,
            TcpFlags = "S.",
            IcmpType = 8,
            IcmpCode = 0,
            IcmpId = 1,
            IcmpSeq = 2,
            Segments = 3,
        },
        Out = Side("eth1", 3, 62),
        Events = [Event(0, "udp_sendmsg", "socket", "socket", "lo", 64) with { Comm = "dig", Pid = 4_242, Mark = 0x10, Detail = "a \"quoted\" <text>\n" }],
        NftEvents =
        [
            new NftEventRecord
            {
                Timestamp = "2025-01-31T14:03:07.123456789Z",
                SkbAddr = "0xffff8881",
                ChainAddr = "0xffff1",
                ExprAddr = "0xffff2",
                Verdict = "drop",
                Hook = "FORWARD",
                RuleHandle = 12,
                TraceType = "rule",
            },
        ],
    };

    /// <summary>Every optional field absent.</summary>
    public static TraceRecord Bare() => Forwarded() with
    {
        ProtocolName = "ether-0x88cc",
        SrcIp = null,
        DstIp = null,
        SrcPort = null,
        DstPort = null,
        In = null,
        Out = null,
        FinalVerdict = "unknown",
        Direction = "unknown",
        FunctionsCalled = ["netif_receive_skb"],
        Events =
        [
            Event(0, "netif_receive_skb", "device", "NIC", "x", 1) with
            {
                Device = null,
                Ifindex = 0,
                SrcIp = null,
                DstIp = null,
                SrcPort = null,
                DstPort = null,
                Ttl = null,
            },
        ],
        NftEvents = [new NftEventRecord { Timestamp = "2025-01-31T14:03:07Z", Verdict = "accept", TraceType = "policy" }],
    };

    private static EventRecord Event(long offsetNs, string function, string layer, string step, string device, int ttl) => new()
    {
        Timestamp = $"2025-01-31T14:03:07.{123_456_789 + offsetNs:D9}Z",
        OffsetNs = offsetNs,
        SkbAddr = "0xffff8881",
        FuncName = function,
        Layer = layer,
        Direction = "inbound",
        Step = step,
        Protocol = "UDP",
        SrcIp = "10.1.0.2",
        DstIp = "10.3.0.2",
        SrcPort = 40_000,
        DstPort = 5_000,
        Length = 128,
        Device = device,
        Ifindex = 2,
        Cpu = 1,
        Ttl = ttl,
    };
}
