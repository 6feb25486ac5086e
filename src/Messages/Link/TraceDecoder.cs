namespace NftCluster.Messages.Link;

/// <summary>The public records of one batch. What comes from the wire may be anything: every index is checked.</summary>
internal sealed class TraceDecoder(TraceBatch batch)
{
    public TraceRecord Decode(Trace trace)
    {
        long firstNs = batch.BaseNs + trace.FirstSeenNs;
        Tuple tuple = TupleOf(trace, trace.Tuple);
        string? address = trace.HasSkbAddr ? LinkText.Hex(trace.SkbAddr) : null;
        List<EventRecord> events = Events(trace, firstNs, address);
        return new TraceRecord
        {
            Key = trace.Key,
            SkbAddr = address,
            ProtocolName = Required(tuple.ProtocolText),
            SrcIp = LinkText.Address(tuple.SrcIp),
            DstIp = LinkText.Address(tuple.DstIp),
            SrcPort = tuple.HasSrcPort ? (int)tuple.SrcPort : null,
            DstPort = tuple.HasDstPort ? (int)tuple.DstPort : null,
            FirstSeen = Time(firstNs),
            LastSeen = Time(firstNs + (long)trace.DurationNs),
            DurationNs = (long)trace.DurationNs,
            Direction = Required(trace.DirectionText),
            FinalVerdict = Required(trace.VerdictText),
            DropReason = Text(trace.DropReasonText),
            DropFunction = Text(trace.DropFunctionText),
            FunctionsCalled = trace.FunctionText.Count > 0 ? [.. trace.FunctionText.Select(Required)] : [.. events.Select(e => e.FuncName).Distinct(StringComparer.Ordinal)],
            Complete = trace.Complete,
            IncompleteReason = Text(trace.IncompleteText),
            In = trace.In is { } came ? Side(trace, came) : null,
            Out = trace.Out is { } left ? Side(trace, left) : null,
            Netns = trace.Netns,
            Events = events,
            NftEvents = [.. trace.NftEvent.Select(v => Verdict(trace, v, firstNs))],
        };
    }

    private List<EventRecord> Events(Trace trace, long firstNs, string? address)
    {
        List<EventRecord> events = new(trace.Event.Count);
        long offset = 0;
        foreach (Event e in trace.Event)
        {
            offset += e.OffsetNs;
            Tuple tuple = TupleOf(trace, e.Tuple);
            events.Add(new EventRecord
            {
                Timestamp = Time(firstNs + offset),
                OffsetNs = offset,
                SkbAddr = e.HasSkbAddr ? LinkText.Hex(e.SkbAddr) : address ?? throw new InvalidDataException("an event without an address in a trace without one"),
                FuncName = Required(e.FuncText),
                Layer = Required(e.LayerText),
                Direction = Required(e.DirectionText),
                Step = Required(e.StepText),
                Protocol = Required(tuple.ProtocolText),
                SrcIp = LinkText.Address(tuple.SrcIp),
                DstIp = LinkText.Address(tuple.DstIp),
                SrcPort = tuple.HasSrcPort ? (int)tuple.SrcPort : null,
                DstPort = tuple.HasDstPort ? (int)tuple.DstPort : null,
                Length = (long)e.Length,
                Device = Text(e.DeviceText),
                Ifindex = (int)e.Ifindex,
                Cpu = (int)e.Cpu,
                Comm = Text(e.CommText),
                Pid = e.HasPid ? (int)e.Pid : null,
                Ttl = e.HasTtl ? (int)e.Ttl : null,
                Mark = e.HasMark ? e.Mark : null,
                Detail = Text(e.DetailText),
            });
        }
        return events;
    }

    private NftEventRecord Verdict(Trace trace, NftEvent v, long firstNs) => new()
    {
        Timestamp = Time(firstNs + v.OffsetNs),
        OffsetNs = v.OffsetNs,
        SkbAddr = v.HasSkbAddr ? LinkText.Hex(v.SkbAddr) : null,
        ChainAddr = v.HasChainAddr ? LinkText.Hex(v.ChainAddr) : null,
        ExprAddr = v.HasExprAddr ? LinkText.Hex(v.ExprAddr) : null,
        Verdict = Required(v.VerdictText),
        Hook = Text(v.HookText),
        RuleHandle = v.HasRuleHandle ? (long)v.RuleHandle : null,
        TraceType = Required(v.TraceTypeText),
        Family = Text(v.FamilyText),
        Table = Text(v.TableText),
        Chain = Text(v.ChainText),
        ChainType = Text(v.ChainTypeText),
        Priority = v.HasPriority ? v.Priority : null,
        RuleText = Text(v.RuleText),
        RulesetGeneration = v.HasRulesetGeneration ? v.RulesetGeneration : null,
        TextUnknown = Text(v.TextUnknownText),
        JumpTarget = Text(v.JumpTargetText),
        InDevice = Text(v.InDeviceText),
        OutDevice = Text(v.OutDeviceText),
        Mark = v.HasMark ? v.Mark : null,
        CtId = v.HasCtId ? (long)v.CtId : null,
        CtState = Text(v.CtStateText),
        CtStatus = v.HasCtStatus ? v.CtStatus : null,
        CtOriginal = Conntrack(trace, v.CtOriginal),
        CtReply = Conntrack(trace, v.CtReply),
        ChainNs = v.HasChainNs ? (long)v.ChainNs : null,
    };

    private ConntrackTupleRecord? Conntrack(Trace trace, CtTuple? t)
    {
        if (t is null)
        {
            return null;
        }
        Tuple tuple = TupleOf(trace, t.Tuple);
        return new ConntrackTupleRecord
        {
            Protocol = Required(tuple.ProtocolText),
            SrcIp = LinkText.Address(tuple.SrcIp) ?? throw new InvalidDataException("a connection without its source"),
            DstIp = LinkText.Address(tuple.DstIp) ?? throw new InvalidDataException("a connection without its destination"),
            SrcPort = tuple.HasSrcPort ? (int)tuple.SrcPort : null,
            DstPort = tuple.HasDstPort ? (int)tuple.DstPort : null,
            IcmpType = t.HasIcmpType ? (int)t.IcmpType : null,
            IcmpCode = t.HasIcmpCode ? (int)t.IcmpCode : null,
            IcmpId = t.HasIcmpId ? (int)t.IcmpId : null,
        };
    }

    private PacketSide Side(Trace trace, Side s)
    {
        Tuple tuple = TupleOf(trace, s.Tuple);
        return new PacketSide
        {
            Device = Text(s.DeviceText),
            Ifindex = (int)s.Ifindex,
            Protocol = Required(tuple.ProtocolText),
            SrcIp = LinkText.Address(tuple.SrcIp),
            DstIp = LinkText.Address(tuple.DstIp),
            SrcPort = tuple.HasSrcPort ? (int)tuple.SrcPort : null,
            DstPort = tuple.HasDstPort ? (int)tuple.DstPort : null,
            Ttl = s.HasTtl ? (int)s.Ttl : null,
            IpId = s.HasIpId ? (int)s.IpId : null,
            Length = (long)s.Length,
            VlanId = s.HasVlanId ? (int)s.VlanId : null,
            TcpSeq = s.HasTcpSeq ? s.TcpSeq : null,
            TcpAck = s.HasTcpAck ? s.TcpAck : null,
            TcpFlags = Text(s.TcpFlagsText),
            PayloadLength = s.HasPayloadLength ? (int)s.PayloadLength : null,
            IcmpType = s.HasIcmpType ? (int)s.IcmpType : null,
            IcmpCode = s.HasIcmpCode ? (int)s.IcmpCode : null,
            IcmpId = s.HasIcmpId ? (int)s.IcmpId : null,
            IcmpSeq = s.HasIcmpSeq ? (int)s.IcmpSeq : null,
            Segments = s.HasSegments ? (int)s.Segments : null,
            FragmentOffset = s.HasFragmentOffset ? (int)s.FragmentOffset : null,
            WireDigest = s.HasWireDigest ? LinkText.Hex(s.WireDigest) : null,
            ContentDigest = s.HasContentDigest ? LinkText.Hex(s.ContentDigest) : null,
            Payload = s.HasPayload ? Convert.ToHexStringLower(s.Payload.Span) : null,
        };
    }

    private string? Text(uint index) => index == 0 ? null
        : index < batch.Text.Count ? batch.Text[(int)index]
        : throw new InvalidDataException($"text {index} of {batch.Text.Count}");

    private string Required(uint index) => Text(index) ?? throw new InvalidDataException("a text that must be there is missing");

    private static Tuple TupleOf(Trace trace, uint index) => index >= 1 && index <= trace.Tuples.Count
        ? trace.Tuples[(int)index - 1]
        : throw new InvalidDataException($"tuple {index} of {trace.Tuples.Count}");

    private static string Time(long unixNs) => unixNs is >= 0 and <= 9_214_646_399_999_999_999
        ? TraceTime.Format(unixNs)
        : throw new InvalidDataException($"time {unixNs} ns lies outside 1970 to 2261");
}
