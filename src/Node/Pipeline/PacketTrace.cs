using NftCluster.Node.Kernel.Native;
using NftCluster.Node.Kernel.Probes;

namespace NftCluster.Node.Pipeline;

/// <summary>
/// Everything seen of one packet during one visit. Pooled: <see cref="Begin"/> makes it new, and its event array stays.
/// Plain state, no clock and no I/O; its owner is the tracker, then whoever holds the closed batch.
/// </summary>
internal sealed class PacketTrace
{
    /// <summary>More than any real journey has, of events and of verdicts each; a loop would otherwise eat the memory.</summary>
    public const int MaxEvents = 512;

    private TraceEvent[] _events = new TraceEvent[12];
    private NftVerdict[] _verdicts = [];
    private ConntrackTuples? _tuples;
    private CloneAddresses _clones;
    private byte[]? _payload; // its length, then its bytes: a trace has no room for another field

    public PacketHeader In;
    public PacketHeader Out;
    public TaskSample.CommBytes Comm;

    // The tracker's lists: of open traces by last event, of left ones by leaving.
    internal PacketTrace? Previous;
    internal PacketTrace? Next;
    internal TraceList? List;

    public ulong SkbAddr { get; private set; }

    /// <summary>Address of the packet's buffer as last seen; clones share it.</summary>
    public ulong Head { get; internal set; }

    public ReadOnlySpan<ulong> Clones => ((ReadOnlySpan<ulong>)_clones)[..CloneCount];

    public ulong LastNs { get; private set; }

    public ulong FirstNs { get; private set; }

    public uint Netns { get; private set; }

    public uint Generation { get; private set; }

    public ushort EventCount { get; private set; }

    public uint InIfindex { get; private set; }

    public uint OutIfindex { get; private set; }

    public uint DropReason { get; private set; }

    public ulong DropLocation { get; private set; }

    public uint Pid { get; private set; }

    public TraceStage Stage { get; private set; }

    public TraceMarks Marks { get; private set; }

    public TraceEnd End { get; private set; }

    public bool HasIn => (Marks & TraceMarks.In) != 0;

    public bool HasOut => (Marks & TraceMarks.Out) != 0;

    public bool HasLeft => (Marks & TraceMarks.Left) != 0;

    public ReadOnlySpan<TraceEvent> Events => _events.AsSpan(0, EventCount);

    public ushort NftVerdictCount { get; private set; }

    public ReadOnlySpan<NftVerdict> NftVerdicts => _verdicts.AsSpan(0, NftVerdictCount);

    /// <summary>The tuples of a verdict whose <see cref="NftVerdict.Tuples"/> is not 0.</summary>
    public NftConntrack TuplesOf(in NftVerdict verdict) => _tuples![verdict.Tuples];

    /// <summary>Only nft's trace told of this packet, and which visit it belongs to is not known.</summary>
    public bool IsNftOnly => (Marks & TraceMarks.NftOnly) != 0;

    public Verdict Verdict =>
        (Marks & TraceMarks.Dropped) != 0 || (Marks & (TraceMarks.NftOnly | TraceMarks.NftDropped)) == (TraceMarks.NftOnly | TraceMarks.NftDropped) ? Verdict.Dropped
        : HasLeft ? Verdict.Forwarded
        : (Marks & TraceMarks.Delivered) != 0 ? Verdict.Delivered
        : IsTakenIn ? Verdict.Delivered
        : (Marks & TraceMarks.Consumed) != 0 ? (Marks & TraceMarks.LocalStack) != 0 ? Verdict.Delivered : Verdict.Consumed
        : Verdict.Unknown;

    public TraceDirection Direction =>
        (Marks & (TraceMarks.Received | TraceMarks.CameUnseen)) != 0 && (Marks & TraceMarks.Sent) == 0 ? HasQueued ? TraceDirection.Forward : TraceDirection.Inbound
        : (Marks & TraceMarks.Sent) != 0 ? TraceDirection.Outbound
        : TraceDirection.Unknown;

    /// <summary>Its way in was seen, or it began here.</summary>
    public bool BeganInSight => (Marks & TraceMarks.CameUnseen) == 0;

    public bool IsComplete => !IsNftOnly && BeganInSight && IsWhole;

    private bool IsWhole => End is TraceEnd.Ended or TraceEnd.Left && (Marks & TraceMarks.Truncated) == 0
        || (Marks & TraceMarks.Delivered) != 0 && End is TraceEnd.Timeout or TraceEnd.Replaced or TraceEnd.Stopped
        || IsTakenIn;

    /// <summary>
    /// Handed to this host's stack, not dropped, and silent ever since, or its address already another packet's: kernels free a
    /// TCP acknowledgement, for one, without a word (docs/export.md).
    /// </summary>
    private bool IsTakenIn => End is TraceEnd.Timeout or TraceEnd.Replaced && (Marks & TraceMarks.LocalStack) != 0;

    /// <summary>No skb lies at 0.</summary>
    private int CloneCount => ((ReadOnlySpan<ulong>)_clones).IndexOf(0UL) is var end and >= 0 ? end : CloneAddresses.Capacity;

    private bool HasQueued => (Marks & TraceMarks.Queued) != 0;

    public void Begin(in PacketEvent first, uint generation)
    {
        SkbAddr = first.SkbAddr;
        Netns = first.Netns;
        Generation = generation;
        FirstNs = LastNs = first.TimestampNs;
        EventCount = NftVerdictCount = 0;
        _clones = default;
        InIfindex = OutIfindex = DropReason = Pid = 0;
        DropLocation = Head = 0;
        _tuples?.Clear();
        if (_payload is not null)
        {
            _payload[0] = 0;
        }
        Stage = TraceStage.None;
        Marks = TraceMarks.None;
        End = TraceEnd.Open;
    }

    /// <summary>Adds one event; false when it is a true repeat within the window (counted by the caller, not kept).</summary>
    public bool Append(in PacketEvent e, ProbeRole role, ProbeFacts facts, ulong repeatWindowNs)
    {
        LastNs = Math.Max(LastNs, e.TimestampNs);
        if (IsRepeat(e, repeatWindowNs))
        {
            return false;
        }
        Advance(e, role, facts);
        if (EventCount == MaxEvents)
        {
            Marks |= TraceMarks.Truncated;
            return true;
        }
        if (EventCount == _events.Length)
        {
            Array.Resize(ref _events, Math.Min(MaxEvents, _events.Length * 2));
        }
        ref TraceEvent kept = ref _events[EventCount++];
        kept.TimestampNs = e.TimestampNs;
        kept.SkbAddr = e.SkbAddr;
        kept.Param = e.Param;
        kept.Ifindex = e.Ifindex;
        kept.Length = e.Length;
        kept.Mark = e.Mark;
        kept.Param2 = e.Param2;
        kept.Probe = e.Probe;
        kept.Cpu = e.Cpu;
        if (role == ProbeRole.Return && EventCount > 1)
        {
            // The packet may be gone when a function returns: it is as it was at the step before.
            ref readonly TraceEvent before = ref _events[EventCount - 2];
            (kept.Ifindex, kept.Length, kept.Mark) = (before.Ifindex, before.Length, before.Mark);
        }
        kept.Side = HasOut ? TraceSide.Out : TraceSide.In;
        kept.HasTask = false;
        return true;
    }

    /// <summary>
    /// This step is another packet's: no packet meets a base chain again that it is through with. Trace ids repeat as soon as the kernel
    /// uses a buffer again.
    /// </summary>
    public bool IsThroughBefore(in NftVerdict next, ulong repeatWindowNs)
    {
        if (NftVerdictCount == 0)
        {
            return false;
        }
        ref readonly NftVerdict last = ref _verdicts[NftVerdictCount - 1];
        if (!last.EndsBaseChain || next.Repeats(last, repeatWindowNs))
        {
            return false;
        }
        foreach (ref readonly NftVerdict met in NftVerdicts)
        {
            if (met.Family == next.Family && met.Chain == next.Chain && met.Table == next.Table)
            {
                return true;
            }
        }
        return last.IsDrop;
    }

    /// <summary>Adds one step through a chain; false when it is a true repeat (counted by the caller, not kept).</summary>
    public bool AddVerdict(in NftVerdict verdict, in NftConntrack conntrack, ulong repeatWindowNs)
    {
        LastNs = Math.Max(LastNs, verdict.TimestampNs);
        if (NftVerdictCount > 0 && verdict.Repeats(_verdicts[NftVerdictCount - 1], repeatWindowNs))
        {
            return false;
        }
        if (NftVerdictCount == MaxEvents)
        {
            Marks |= TraceMarks.Truncated;
            return true;
        }
        if (NftVerdictCount == _verdicts.Length)
        {
            Array.Resize(ref _verdicts, Math.Clamp(_verdicts.Length * 2, 8, MaxEvents));
        }
        ref NftVerdict kept = ref _verdicts[NftVerdictCount++];
        kept = verdict;
        if (verdict.HasConntrack && conntrack.Info != TraceAbi.ConntrackUntracked)
        {
            kept.Tuples = (_tuples ??= new ConntrackTuples()).Keep(conntrack);
        }
        if (verdict.IsDrop)
        {
            Marks |= TraceMarks.NftDropped;
        }
        return true;
    }

    /// <summary>The base chain that judged last has said its word: its last step knows how long it took.</summary>
    public void ChainReturned(in PacketEvent e)
    {
        LastNs = Math.Max(LastNs, e.TimestampNs);
        if (NftVerdictCount > 0)
        {
            _verdicts[NftVerdictCount - 1].ChainNs = (uint)Math.Min(e.Param, uint.MaxValue);
        }
    }

    /// <summary>A packet of which only nft's trace tells: no visit, no address.</summary>
    public void BeginNftOnly(in PacketEvent first, ulong standIn, in PacketHeader header, uint generation)
    {
        Begin(first, generation);
        SkbAddr = standIn;
        Stage = TraceStage.Left; // closed after the grace: nothing but further verdicts can come
        Marks = TraceMarks.NftOnly;
        if (header.Has(HeaderParts.Network))
        {
            In = header;
            Marks |= TraceMarks.In;
        }
    }

    /// <summary>The payload's first bytes, of the header that was seen first; empty where nobody wants them.</summary>
    public ReadOnlySpan<byte> Payload => _payload is null ? [] : _payload.AsSpan(1, _payload[0]);

    /// <summary>Only the first counts.</summary>
    public void KeepPayload(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > 0 && (_payload ??= new byte[1 + PacketHeader.MostPayloadBytes])[0] == 0)
        {
            bytes.CopyTo(_payload.AsSpan(1));
            _payload[0] = (byte)bytes.Length;
        }
    }

    /// <summary>A door's header: the first is how the packet came in, the last how it left.</summary>
    public void SetHeader(in PacketHeader header, uint ifindex, ProbeRole role)
    {
        if (!HasIn)
        {
            In = header;
            InIfindex = role is ProbeRole.Receive ? ifindex : 0;
            Marks |= TraceMarks.In;
        }
        else if (role == ProbeRole.Receive && !HasOut)
        {
            return; // the same packet at the next receive entry of a stacked device: it came in where it first was
        }
        if (role is ProbeRole.Queue or ProbeRole.Xmit)
        {
            Out = header;
            OutIfindex = ifindex;
            Marks |= TraceMarks.Out;
            if (EventCount > 0)
            {
                _events[EventCount - 1].Side = TraceSide.Out;
            }
        }
    }

    /// <summary>False when there are too many: their doors still find the trace by the buffer they share, their other events do not.</summary>
    public bool AddClone(ulong skbAddr)
    {
        int count = CloneCount;
        if (count == CloneAddresses.Capacity)
        {
            return false;
        }
        _clones[count] = skbAddr;
        return true;
    }

    public void SetTask(in TaskSample task)
    {
        Comm = task.Comm;
        Pid = task.Pid;
        if (EventCount > 0)
        {
            _events[EventCount - 1].HasTask = true;
        }
    }

    public void Close(TraceEnd end) => End = end;

    private bool IsRepeat(in PacketEvent e, ulong windowNs)
    {
        for (int i = EventCount - 1; i >= 0; i--)
        {
            ref TraceEvent seen = ref _events[i];
            if (e.TimestampNs - seen.TimestampNs > windowNs)
            {
                return false;
            }
            if (seen.Probe == e.Probe && seen.Ifindex == e.Ifindex && seen.SkbAddr == e.SkbAddr && seen.Param == e.Param
                && seen.Param2 == e.Param2 && seen.Length == e.Length && seen.Mark == e.Mark)
            {
                return true;
            }
        }
        return false;
    }

    /// <summary>At a device: unless its way in was seen, the packet itself says whether it came in by one.</summary>
    private TraceMarks Origin(in PacketEvent e) =>
        (Marks & (TraceMarks.Received | TraceMarks.Sent | TraceMarks.CameUnseen)) != 0 ? TraceMarks.None
        : e.Param != 0 ? TraceMarks.CameUnseen
        : TraceMarks.Sent;

    private void Advance(in PacketEvent e, ProbeRole role, ProbeFacts facts)
    {
        switch (role)
        {
            case ProbeRole.Receive:
                Marks |= (Marks & TraceMarks.Sent) == 0 ? TraceMarks.Received : TraceMarks.None;
                Marks &= ~TraceMarks.Left; // loopback: out and in again, it has not left the host
                Stage = TraceStage.Received;
                break;
            case ProbeRole.LocalOut:
                Marks |= (Marks & TraceMarks.Received) == 0 ? TraceMarks.Sent : TraceMarks.None;
                Stage = TraceStage.Sent;
                break;
            case ProbeRole.Queue:
                Marks |= TraceMarks.Queued | Origin(e);
                Stage = TraceStage.Queued;
                break;
            case ProbeRole.Xmit:
                Marks |= TraceMarks.Left | TraceMarks.Queued | Origin(e);
                OutIfindex = e.Ifindex;
                Stage = TraceStage.Left;
                break;
            case ProbeRole.Drop when e.SkbAddr == SkbAddr:
                Marks |= TraceMarks.Dropped;
                DropLocation = e.Param;
                DropReason = e.Param2;
                Stage = TraceStage.Ended;
                break;
            case ProbeRole.Consume when e.SkbAddr == SkbAddr:
                Marks |= TraceMarks.Consumed;
                Stage = TraceStage.Ended;
                break;
        }
        if (facts.IsLocalStack(e.Probe))
        {
            Marks |= TraceMarks.LocalStack;
        }
        if (facts.Delivers(e.Probe))
        {
            Marks |= TraceMarks.Delivered;
        }
    }
}
