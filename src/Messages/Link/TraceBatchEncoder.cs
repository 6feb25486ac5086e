namespace NftCluster.Messages.Link;

/// <summary>Fills one batch: texts once per batch, tuples once per trace, times as differences.</summary>
internal sealed class TraceBatchEncoder
{
    private readonly TextTable _texts;
    private readonly HashSet<string> _called = new(StringComparer.Ordinal);
    private string? _lastAddressText;
    private ulong _lastAddress;

    public TraceBatchEncoder(string sessionId)
    {
        Batch = new TraceBatch { SessionId = sessionId };
        _texts = new TextTable(Batch.Text);
    }

    public TraceBatch Batch { get; }

    public void Add(TraceRecord record)
    {
        long firstNs = LinkText.Time(record.FirstSeen);
        if (Batch.Trace.Count == 0)
        {
            Batch.BaseNs = firstNs;
        }
        Require(LinkText.Time(record.LastSeen) - firstNs == record.DurationNs && record.DurationNs >= 0, "last_seen is not first_seen + duration_ns");
        Trace trace = new()
        {
            Key = record.Key,
            FirstSeenNs = firstNs - Batch.BaseNs,
            DurationNs = (ulong)record.DurationNs,
            DirectionText = _texts.Of(record.Direction),
            VerdictText = _texts.Of(record.FinalVerdict),
            DropReasonText = _texts.Of(record.DropReason),
            DropFunctionText = _texts.Of(record.DropFunction),
            Complete = record.Complete,
            IncompleteText = _texts.Of(record.IncompleteReason),
            Netns = record.Netns,
        };
        if (record.SkbAddr is { } address)
        {
            trace.SkbAddr = Address(address);
        }
        trace.Tuple = TupleOf(trace, record.ProtocolName, record.SrcIp, record.DstIp, record.SrcPort, record.DstPort);
        trace.In = record.In is { } came ? Side(trace, came) : null;
        trace.Out = record.Out is { } left ? Side(trace, left) : null;
        AddEvents(trace, record, firstNs);
        foreach (NftEventRecord verdict in record.NftEvents)
        {
            trace.NftEvent.Add(Verdict(trace, verdict, firstNs));
        }
        Batch.Trace.Add(trace);
    }

    private void AddEvents(Trace trace, TraceRecord record, long firstNs)
    {
        long before = 0;
        _called.Clear();
        int called = 0;
        bool derived = true;
        foreach (EventRecord e in record.Events)
        {
            Require(LinkText.Time(e.Timestamp) - firstNs == e.OffsetNs, "an event's timestamp is not first_seen + offset_ns");
            Event made = new()
            {
                OffsetNs = e.OffsetNs - before,
                FuncText = _texts.Of(e.FuncName),
                LayerText = _texts.Of(e.Layer),
                DirectionText = _texts.Of(e.Direction),
                StepText = _texts.Of(e.Step),
                Tuple = TupleOf(trace, e.Protocol, e.SrcIp, e.DstIp, e.SrcPort, e.DstPort),
                Length = (ulong)e.Length,
                DeviceText = _texts.Of(e.Device),
                Ifindex = (uint)e.Ifindex,
                Cpu = (uint)e.Cpu,
                CommText = _texts.Of(e.Comm),
                DetailText = _texts.Of(e.Detail),
            };
            before = e.OffsetNs;
            ulong address = Address(e.SkbAddr);
            if (!trace.HasSkbAddr || address != trace.SkbAddr)
            {
                made.SkbAddr = address;
            }
            SetOptional(made, e);
            trace.Event.Add(made);
            if (_called.Add(e.FuncName))
            {
                derived &= called < record.FunctionsCalled.Count && record.FunctionsCalled[called] == e.FuncName;
                called++;
            }
        }
        if (!derived || called != record.FunctionsCalled.Count)
        {
            Require(record.FunctionsCalled.Count > 0, "functions_called is empty though there are events");
            trace.FunctionText.AddRange(record.FunctionsCalled.Select(_texts.Of));
        }
    }

    private static void SetOptional(Event made, EventRecord e)
    {
        if (e.Pid is { } pid)
        {
            made.Pid = (uint)pid;
        }
        if (e.Ttl is { } ttl)
        {
            made.Ttl = (uint)ttl;
        }
        if (e.Mark is { } mark)
        {
            made.Mark = mark;
        }
    }

    private NftEvent Verdict(Trace trace, NftEventRecord v, long firstNs)
    {
        Require(LinkText.Time(v.Timestamp) - firstNs == v.OffsetNs, "a verdict's timestamp is not first_seen + offset_ns");
        NftEvent made = new()
        {
            OffsetNs = v.OffsetNs,
            VerdictText = _texts.Of(v.Verdict),
            HookText = _texts.Of(v.Hook),
            TraceTypeText = _texts.Of(v.TraceType),
            FamilyText = _texts.Of(v.Family),
            TableText = _texts.Of(v.Table),
            ChainText = _texts.Of(v.Chain),
            ChainTypeText = _texts.Of(v.ChainType),
            RuleText = _texts.Of(v.RuleText),
            TextUnknownText = _texts.Of(v.TextUnknown),
            JumpTargetText = _texts.Of(v.JumpTarget),
            InDeviceText = _texts.Of(v.InDevice),
            OutDeviceText = _texts.Of(v.OutDevice),
            CtStateText = _texts.Of(v.CtState),
        };
        if (v.SkbAddr is { } skb) { made.SkbAddr = Address(skb); }
        if (v.ChainAddr is { } chain) { made.ChainAddr = LinkText.Hex(chain); }
        if (v.ExprAddr is { } expr) { made.ExprAddr = LinkText.Hex(expr); }
        if (v.RuleHandle is { } handle) { made.RuleHandle = (ulong)handle; }
        if (v.Priority is { } priority) { made.Priority = priority; }
        if (v.RulesetGeneration is { } generation) { made.RulesetGeneration = generation; }
        if (v.Mark is { } mark) { made.Mark = mark; }
        if (v.CtId is { } id) { made.CtId = (ulong)id; }
        if (v.CtStatus is { } status) { made.CtStatus = status; }
        if (v.CtOriginal is { } original) { made.CtOriginal = Conntrack(trace, original); }
        if (v.CtReply is { } reply) { made.CtReply = Conntrack(trace, reply); }
        if (v.ChainNs is { } spent) { made.ChainNs = (ulong)spent; }
        return made;
    }

    private CtTuple Conntrack(Trace trace, ConntrackTupleRecord t)
    {
        CtTuple made = new() { Tuple = TupleOf(trace, t.Protocol, t.SrcIp, t.DstIp, t.SrcPort, t.DstPort) };
        if (t.IcmpType is { } type) { made.IcmpType = (uint)type; }
        if (t.IcmpCode is { } code) { made.IcmpCode = (uint)code; }
        if (t.IcmpId is { } id) { made.IcmpId = (uint)id; }
        return made;
    }

    private Side Side(Trace trace, PacketSide s)
    {
        Side made = new()
        {
            DeviceText = _texts.Of(s.Device),
            Ifindex = (uint)s.Ifindex,
            Tuple = TupleOf(trace, s.Protocol, s.SrcIp, s.DstIp, s.SrcPort, s.DstPort),
            Length = (ulong)s.Length,
            TcpFlagsText = _texts.Of(s.TcpFlags),
        };
        if (s.Ttl is { } ttl) { made.Ttl = (uint)ttl; }
        if (s.IpId is { } id) { made.IpId = (uint)id; }
        if (s.VlanId is { } vlan) { made.VlanId = (uint)vlan; }
        if (s.TcpSeq is { } seq) { made.TcpSeq = seq; }
        if (s.TcpAck is { } ack) { made.TcpAck = ack; }
        if (s.PayloadLength is { } payload) { made.PayloadLength = (uint)payload; }
        if (s.IcmpType is { } type) { made.IcmpType = (uint)type; }
        if (s.IcmpCode is { } code) { made.IcmpCode = (uint)code; }
        if (s.IcmpId is { } echo) { made.IcmpId = (uint)echo; }
        if (s.IcmpSeq is { } sequence) { made.IcmpSeq = (uint)sequence; }
        if (s.Segments is { } segments) { made.Segments = (uint)segments; }
        if (s.FragmentOffset is { } offset) { made.FragmentOffset = (uint)offset; }
        if (s.WireDigest is { } wire) { made.WireDigest = LinkText.Hex(wire); }
        if (s.ContentDigest is { } content) { made.ContentDigest = LinkText.Hex(content); }
        if (s.Payload is { } bytes) { made.Payload = Google.Protobuf.ByteString.CopyFrom(Convert.FromHexString(bytes)); }
        return made;
    }

    /// <summary>A trace has two or three: looking through them is cheaper than a table.</summary>
    private uint TupleOf(Trace trace, string protocol, string? source, string? destination, int? sourcePort, int? destinationPort)
    {
        Tuple tuple = new() { ProtocolText = _texts.Of(protocol), SrcIp = LinkText.Address(source), DstIp = LinkText.Address(destination) };
        if (sourcePort is { } from) { tuple.SrcPort = (uint)from; }
        if (destinationPort is { } to) { tuple.DstPort = (uint)to; }
        int at = trace.Tuples.IndexOf(tuple);
        if (at < 0)
        {
            trace.Tuples.Add(tuple);
            at = trace.Tuples.Count - 1;
        }
        return (uint)at + 1;
    }

    /// <summary>A trace's events mostly name the same one.</summary>
    private ulong Address(string text)
    {
        if (!ReferenceEquals(text, _lastAddressText))
        {
            (_lastAddressText, _lastAddress) = (text, LinkText.Hex(text));
        }
        return _lastAddress;
    }

    private static void Require(bool holds, string otherwise)
    {
        if (!holds)
        {
            throw new InvalidDataException(otherwise);
        }
    }
}
