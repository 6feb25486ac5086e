using System.Globalization;
using System.Net;
using System.Text;
using NftCluster.Messages;
using NftCluster.Node.Kernel;
using NftCluster.Node.Kernel.Native;
using NftCluster.Node.Kernel.Probes;
using NftCluster.Node.Kernel.Symbols;
using NftCluster.Node.Pipeline;
using NftCluster.Node.Sessions;

namespace NftCluster.Node.Export;

/// <summary>A closed packet trace in its public shape: addresses as text, numbers with their names, times on the wall clock.</summary>
internal sealed class TraceRecordFactory(ProbeFacts facts, HostFacts host, DropReasons reasons, DeviceNames devices, NftRecordFactory verdicts)
{
    private const long ClockLookNs = 1_000_000_000;

    /// <summary>What two looks may differ without the wall clock having moved.</summary>
    private const long ClockNoiseNs = 10_000;

    private long _wallOffsetNs = WallOffset();
    private long _clockSeenNs = Nftables.Monotonic.NowNs;
    private readonly HashSet<ushort> _called = [];
    private readonly StringBuilder _detail = new();

    public static string NameOf(Verdict verdict) => verdict switch
    {
        Verdict.Delivered => "delivered",
        Verdict.Forwarded => "forwarded",
        Verdict.Dropped => "dropped",
        Verdict.Consumed => "consumed",
        _ => "unknown",
    };

    /// <summary>Events make most of a record's cost: left out where nobody wants them.</summary>
    public bool LeavesEventsOut { get; init; }

    /// <summary>So many bytes of payload stand in a record; 0 = none.</summary>
    public int SnapBytes { get; init; }

    public TraceRecord Make(PacketTrace trace)
    {
        FollowClock();
        PacketSide? came = trace.HasIn ? Side(trace.In, trace.InIfindex, trace.Netns) : null;
        PacketSide? left = trace.HasOut ? Side(trace.Out, trace.OutIfindex, trace.Netns) : null;
        bool showsIn = trace.Direction != TraceDirection.Outbound && trace.BeganInSight;
        if (SnapBytes > 0 && trace.Payload is { Length: > 0 } payload)
        {
            string bytes = Convert.ToHexStringLower(payload[..Math.Min(SnapBytes, payload.Length)]);
            (came, left) = showsIn && came is not null ? (came with { Payload = bytes }, left) : (came, left is null ? null : left with { Payload = bytes });
        }
        PacketSide? shown = came ?? left;
        string direction = NameOf(trace.Direction);
        return new TraceRecord
        {
            Key = string.Create(CultureInfo.InvariantCulture, $"0x{trace.SkbAddr:x}/{trace.Netns}/{trace.Generation}"),
            SkbAddr = trace.IsNftOnly ? null : Hex(trace.SkbAddr),
            ProtocolName = shown?.Protocol ?? "unknown",
            SrcIp = shown?.SrcIp,
            DstIp = shown?.DstIp,
            SrcPort = shown?.SrcPort,
            DstPort = shown?.DstPort,
            FirstSeen = Wall(trace.FirstNs),
            LastSeen = Wall(trace.LastNs),
            DurationNs = (long)(trace.LastNs - trace.FirstNs),
            Direction = direction,
            FinalVerdict = NameOf(trace.Verdict),
            DropReason = trace.Verdict == Verdict.Dropped ? reasons.NameOf(trace.DropReason) : null,
            DropFunction = trace.Verdict == Verdict.Dropped && trace.DropLocation != 0 ? Symbol(trace.DropLocation) : null,
            FunctionsCalled = FunctionsOf(trace),
            Complete = trace.IsComplete,
            IncompleteReason = trace.IsComplete ? null : WhyIncomplete(trace),
            In = showsIn ? came : null,
            Out = left,
            Netns = trace.Netns,
            Events = LeavesEventsOut ? [] : Events(trace, came, left, direction),
            NftEvents = trace.NftVerdictCount == 0 ? [] : verdicts.Make(trace, Wall),
        };
    }

    private static string NameOf(TraceDirection direction) => direction switch
    {
        TraceDirection.Inbound => "inbound",
        TraceDirection.Forward => "forward",
        TraceDirection.Outbound => "outbound",
        _ => "unknown",
    };

    private static string WhyIncomplete(PacketTrace trace) => trace.End switch
    {
        _ when (trace.Marks & TraceMarks.Truncated) != 0 => "events-truncated",
        _ when trace.IsNftOnly => "nft-only",
        _ when !trace.BeganInSight => "begin-not-seen",
        TraceEnd.Timeout => "timeout",
        TraceEnd.Evicted => "evicted",
        TraceEnd.Replaced => "end-not-seen",
        _ => "stopped",
    };

    internal static string Hex(ulong address) => string.Create(CultureInfo.InvariantCulture, $"0x{address:x}");

    /// <summary>Realtime minus monotonic, the narrowest of a few tries: a trace's times share one offset.</summary>
    private static unsafe long WallOffset()
    {
        long best = 0;
        long narrowest = long.MaxValue;
        for (int i = 0; i < 5; i++)
        {
            timespec before;
            timespec wall;
            timespec after;
            _ = Libc.clock_gettime(Libc.CLOCK_MONOTONIC, &before);
            _ = Libc.clock_gettime(Libc.CLOCK_REALTIME, &wall);
            _ = Libc.clock_gettime(Libc.CLOCK_MONOTONIC, &after);
            long width = after.Nanoseconds - before.Nanoseconds;
            if (width < narrowest)
            {
                narrowest = width;
                best = wall.Nanoseconds - before.Nanoseconds - width / 2;
            }
        }
        return best;
    }

    /// <summary>A wall clock that is set or slewed meanwhile is followed, a look a second: what is made later has its times, what was made keeps them.</summary>
    private void FollowClock()
    {
        long now = Nftables.Monotonic.NowNs;
        if (now - _clockSeenNs >= ClockLookNs)
        {
            _clockSeenNs = now;
            long offset = WallOffset();
            _wallOffsetNs = Math.Abs(offset - _wallOffsetNs) > ClockNoiseNs ? offset : _wallOffsetNs;
        }
    }

    /// <summary>CLOCK_REALTIME in ns.</summary>
    public long WallNs(ulong monotonicNs) => (long)monotonicNs + _wallOffsetNs;

    public string Wall(ulong monotonicNs) => TraceTime.Format(WallNs(monotonicNs));

    private string Symbol(ulong address) => host.Symbols.GetAwaiter().GetResult().NameAt(address);

    private List<string> FunctionsOf(PacketTrace trace)
    {
        _called.Clear();
        List<string> names = new(8);
        foreach (ref readonly TraceEvent e in trace.Events)
        {
            if (_called.Add(e.Probe))
            {
                names.Add(facts.Catalog[e.Probe].ShownName);
            }
        }
        return names;
    }

    private List<EventRecord> Events(PacketTrace trace, PacketSide? came, PacketSide? left, string direction)
    {
        List<EventRecord> records = new(trace.EventCount);
        string? hookStep = null;
        foreach (ref readonly TraceEvent e in trace.Events)
        {
            ProbeDefinition probe = facts.Catalog[e.Probe];
            PacketSide? side = e.Side == TraceSide.Out ? left : came;
            string own = probe.DirectionOf(e.Param, e.Param2);
            hookStep = probe.Param == ParamKind.Hook ? probe.StepOf(e.Param, e.Param2) : hookStep;
            records.Add(new EventRecord
            {
                Timestamp = Wall(e.TimestampNs),
                OffsetNs = (long)(e.TimestampNs - trace.FirstNs),
                SkbAddr = Hex(e.SkbAddr),
                FuncName = probe.ShownName,
                Layer = probe.Layer,
                Direction = own == "unknown" ? direction : own,
                Step = probe.Role == ProbeRole.Return ? hookStep ?? probe.Step : probe.StepOf(e.Param, e.Param2),
                Protocol = side?.Protocol ?? "unknown",
                SrcIp = side?.SrcIp,
                DstIp = side?.DstIp,
                SrcPort = side?.SrcPort,
                DstPort = side?.DstPort,
                Length = e.Length,
                Device = devices.Find(trace.Netns, e.Ifindex),
                Ifindex = (int)e.Ifindex,
                Cpu = e.Cpu,
                Comm = e.HasTask ? Comm(trace) : null,
                Pid = e.HasTask ? (int)trace.Pid : null,
                Ttl = side?.Ttl,
                Mark = e.Mark != 0 ? e.Mark : null,
                Detail = Detail(probe, e),
            });
        }
        return records;
    }

    private static string Comm(PacketTrace trace)
    {
        ReadOnlySpan<byte> bytes = trace.Comm;
        int end = bytes.IndexOf((byte)0);
        return Encoding.UTF8.GetString(end < 0 ? bytes : bytes[..end]);
    }

    private string? Detail(ProbeDefinition probe, in TraceEvent e)
    {
        _detail.Clear();
        switch (probe)
        {
            case { Role: ProbeRole.Drop }:
                _detail.Append("reason=").Append(reasons.NameOf(e.Param2)).Append(" at=").Append(Symbol(e.Param));
                break;
            case { Role: ProbeRole.Return }:
                _detail.Append(CultureInfo.InvariantCulture, $"verdict={(int)e.Param2 switch { 1 => "accept", 0 => "stolen", _ => "drop" }} spent={e.Param}ns");
                break;
            case { Param: ParamKind.Hook }:
                _detail.Append("hook=").Append(probe.StepOf(e.Param, e.Param2)).Append(" pf=").Append(FamilyName(e.Param2));
                break;
            case { Param: ParamKind.Flow4 or ParamKind.Flow6 }:
                if (e.Param != 0)
                {
                    _detail.Append("table=").Append(e.Param);
                }
                break;
            case { Param: ParamKind.Value, ParamArgument: "skb_drop_reason" }:
                _detail.Append("reason=").Append(reasons.NameOf((uint)e.Param));
                break;
            case { Param: ParamKind.Value }:
                _detail.Append(CultureInfo.InvariantCulture, $"value={e.Param}");
                if (probe.Param2Argument is not null)
                {
                    _detail.Append(CultureInfo.InvariantCulture, $",{e.Param2}");
                }
                break;
        }
        return _detail.Length == 0 ? null : _detail.ToString();
    }

    private static string FamilyName(uint family) => family switch
    {
        1 => "inet",
        2 => "ipv4",
        3 => "arp",
        5 => "netdev",
        7 => "bridge",
        10 => "ipv6",
        _ => family.ToString(CultureInfo.InvariantCulture),
    };

    private PacketSide Side(in PacketHeader h, uint ifindex, uint netns)
    {
        bool ports = h.Has(HeaderParts.Ports);
        bool icmp = h.Has(HeaderParts.Icmp);
        bool echo = h.Has(HeaderParts.Echo);
        bool tcp = h.Has(HeaderParts.Tcp);
        bool ip = h.Has(HeaderParts.Network) && h.EtherType != 0x0806;
        return new PacketSide
        {
            Device = devices.Find(netns, ifindex),
            Ifindex = (int)ifindex,
            Protocol = ProtocolName(h),
            SrcIp = h.Has(HeaderParts.Network) ? Address(h.Source, h.Has(HeaderParts.IPv6)) : null,
            DstIp = h.Has(HeaderParts.Network) ? Address(h.Destination, h.Has(HeaderParts.IPv6)) : null,
            SrcPort = ports ? h.SourcePort : null,
            DstPort = ports ? h.DestinationPort : null,
            Ttl = ip ? h.Ttl : null,
            IpId = ip && !h.Has(HeaderParts.IPv6) ? h.IpId : null,
            Length = h.Length,
            VlanId = h.Has(HeaderParts.Vlan) ? h.VlanId : null,
            TcpSeq = tcp ? h.TcpSeq : null,
            TcpAck = tcp ? h.TcpAck : null,
            TcpFlags = tcp ? TcpFlags(h.TcpFlags) : null,
            PayloadLength = ip ? (int)h.PayloadLength : null,
            IcmpType = icmp ? h.SourcePort >> 8 : null,
            IcmpCode = icmp ? h.SourcePort & 0xff : null,
            IcmpId = echo ? h.DestinationPort : null,
            IcmpSeq = echo ? h.IcmpSequence : null,
            Segments = h.Segments > 1 ? h.Segments : null,
            FragmentOffset = h.Has(HeaderParts.Fragment) ? h.FragmentOffset * 8 : null,
            WireDigest = PacketDigests.Wire(h) is { } wire ? Hex(wire) : null,
            ContentDigest = PacketDigests.Content(h) is { } content ? Hex(content) : null,
        };
    }

    private static string ProtocolName(in PacketHeader h) => (h.EtherType, h.Protocol) switch
    {
        (0x0806, _) => "ARP",
        (0x0800 or 0x86dd, 6) => "TCP",
        (0x0800 or 0x86dd, 17) => "UDP",
        (0x0800 or 0x86dd, 1) => "ICMP",
        (0x0800 or 0x86dd, 58) => "ICMPv6",
        (0x0800 or 0x86dd, 132) => "SCTP",
        (0x0800 or 0x86dd, _) => string.Create(CultureInfo.InvariantCulture, $"ip-{h.Protocol}"),
        _ => string.Create(CultureInfo.InvariantCulture, $"ether-0x{h.EtherType:x4}"),
    };

    private static string Address(ReadOnlySpan<byte> bytes, bool isIPv6) => new IPAddress(bytes[..(isIPv6 ? 16 : 4)]).ToString();

    /// <summary>As tcpdump: S, F, R, P, U, E, W, and a dot for ACK at the end.</summary>
    private static string TcpFlags(byte flags)
    {
        Span<char> text = stackalloc char[8];
        int length = 0;
        ReadOnlySpan<char> names = "FSRP.UEW";
        foreach (int bit in (ReadOnlySpan<int>)[1, 0, 2, 3, 5, 6, 7, 4])
        {
            if ((flags & (1 << bit)) != 0)
            {
                text[length++] = names[bit];
            }
        }
        return length == 0 ? "none" : new string(text[..length]);
    }
}
