using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using NftCluster.Node.Kernel.Native;
using NftCluster.Node.Kernel.Probes;
using NftCluster.Node.Nftables;

namespace NftCluster.Node.Pipeline;

/// <summary>
/// From packet events to packet traces: finds the visit an event belongs to, opens and closes traces. No clock (time is the
/// events'), no I/O, nothing allocated in steady state.
/// </summary>
internal sealed class VisitTracker(ProbeFacts facts, TrackerOptions options, TracePool pool)
{
    private readonly Dictionary<VisitKey, PacketTrace> _open = new(4096);
    private readonly Dictionary<VisitKey, PacketTrace> _byHead = new(4096);

    // Two queues by last event: `_moving` ones may go on until the time-out, `_left` ones only until the grace is over.
    private readonly TraceList _moving = new();
    private readonly TraceList _left = new();
    private readonly NftVerdictReader _verdicts = new();
    private uint _generation;

    public int Open => _moving.Count + _left.Count;

    public TrackerCounters Counters { get; } = new();

    /// <summary>Takes one event; traces it closes go to <paramref name="closed"/>.</summary>
    public void Observe(in PacketEvent e, ReadOnlySpan<byte> tail, ITraceSink closed)
    {
        if ((e.Flags & (TraceAbi.EventNft | TraceAbi.EventNftStep)) != 0)
        {
            ObserveVerdict(e, tail, closed);
            return;
        }
        ProbeRole role = facts.Role(e.Probe);
        PacketHeader header = default;
        ulong head = 0;
        ReadOnlySpan<byte> frame = default;
        bool hasHeader = (e.Flags & TraceAbi.EventSample) != 0;
        if (hasHeader)
        {
            ref readonly HeaderSample sample = ref MemoryMarshal.AsRef<HeaderSample>(tail);
            head = sample.Head;
            int size = Math.Min(e.SampleSize, sample.Valid);
            frame = tail.Slice(Unsafe.SizeOf<HeaderSample>(), size);
            PacketHeader.Parse(frame, sample.FrameLength, sample.GsoSegs, out header);
        }

        PacketTrace? trace = Find(e, role, hasHeader, header, head, closed);
        if (trace is null)
        {
            Counters.OrphanEvents++;
            return;
        }
        if (facts.IsChainReturn(e.Probe))
        {
            trace.ChainReturned(e);
            MoveToNewest(trace);
            return;
        }
        if (role == ProbeRole.Verdict)
        {
            // Met by a rule before any door: only its header, the verdict itself follows.
            Rehead(trace, head);
            trace.SetHeader(header, e.Ifindex, role);
            MoveToNewest(trace);
            HoldBound(closed);
            return;
        }
        bool isDoor = role is ProbeRole.Receive or ProbeRole.Queue or ProbeRole.LocalOut or ProbeRole.Xmit;
        if (!trace.Append(e, role, facts, isDoor ? 0 : options.RepeatWindowNs))
        {
            Counters.Repeats++;
            MoveToNewest(trace); // the lists are in the order of the last event, a repeat is one
            return;
        }
        if (hasHeader)
        {
            Rehead(trace, head);
            trace.SetHeader(header, e.Ifindex, role);
            if (options.KeepsPayload)
            {
                trace.KeepPayload(header.PayloadIn(frame));
            }
        }
        if ((e.Flags & TraceAbi.EventTask) != 0)
        {
            trace.SetTask(MemoryMarshal.AsRef<TaskSample>(tail));
        }
        MoveToNewest(trace);
        if (trace.Stage == TraceStage.Ended)
        {
            Finish(trace, TraceEnd.Ended, closed);
        }
        else
        {
            HoldBound(closed);
        }
    }

    /// <summary>
    /// A step through a chain goes to the packet's open visit. Where the kernel half could not tell the packet, it stands for
    /// itself: steps with the same trace id, one soon after the other, are one packet's.
    /// </summary>
    private void ObserveVerdict(in PacketEvent e, ReadOnlySpan<byte> tail, ITraceSink closed)
    {
        if (!_verdicts.TryRead(e, tail, out NftVerdict verdict, out PacketHeader header, out NftConntrack conntrack))
        {
            Counters.OrphanEvents++;
            return;
        }
        if (e.SkbAddr == 0 || !_open.TryGetValue(new VisitKey(e.SkbAddr, e.Netns), out PacketTrace? trace))
        {
            trace = UnknownPacket(e, verdict, header, closed);
            if (trace is null)
            {
                Counters.UnjoinedVerdicts++;
                return;
            }
        }
        if (trace.IsNftOnly)
        {
            Counters.UnjoinedVerdicts++;
        }
        if (!trace.AddVerdict(verdict, conntrack, options.NftRepeatWindowNs))
        {
            Counters.Repeats++;
        }
        MoveToNewest(trace);
        HoldBound(closed);
    }

    /// <summary>The trace of a packet that is known by its trace id alone; null where such are not shown.</summary>
    private PacketTrace? UnknownPacket(in PacketEvent e, in NftVerdict verdict, in PacketHeader header, ITraceSink closed)
    {
        if (!options.ShowsUnjoinedVerdicts)
        {
            return null;
        }
        VisitKey key = new(verdict.TraceId, e.Netns); // no address is that low
        if (_open.TryGetValue(key, out PacketTrace? known))
        {
            if (!known.IsThroughBefore(verdict, options.NftRepeatWindowNs))
            {
                return known;
            }
            Finish(known, TraceEnd.Left, closed);
        }
        PacketTrace born = pool.Rent();
        born.BeginNftOnly(e, key.Address, header, ++_generation);
        _open[key] = born;
        _left.Add(born);
        Counters.Packets++;
        return born;
    }

    private void HoldBound(ITraceSink closed)
    {
        if (Open > options.MaxOpen)
        {
            Counters.Evicted++;
            Finish(_left.Oldest ?? _moving.Oldest!, _left.Oldest is null ? TraceEnd.Evicted : TraceEnd.Left, closed);
        }
    }

    /// <summary>Closes what has left and stayed silent for the grace, and what was silent for the time-out. Call once a batch and once a second.</summary>
    public void Expire(ulong nowNs, ITraceSink closed)
    {
        while (_left.Oldest is { } left && left.LastNs + options.GraceNs < nowNs)
        {
            Finish(left, TraceEnd.Left, closed);
        }
        while (_moving.Oldest is { } silent && silent.LastNs + options.TimeoutNs < nowNs)
        {
            Counters.TimedOut++;
            Finish(silent, TraceEnd.Timeout, closed);
        }
    }

    /// <summary>The session stops: every open trace is closed as it is.</summary>
    public void CloseAll(ITraceSink closed)
    {
        while ((_left.Oldest ?? _moving.Oldest) is { } trace)
        {
            Finish(trace, trace.HasLeft ? TraceEnd.Left : TraceEnd.Stopped, closed);
        }
    }

    /// <summary>A trace whose handling threw: it goes, its siblings stay.</summary>
    public void Abandon(in PacketEvent e)
    {
        if (_open.TryGetValue(new VisitKey(e.SkbAddr, e.Netns), out PacketTrace? trace))
        {
            Detach(trace);
            Counters.Failed++;
        }
    }

    /// <summary>The open visit this event belongs to; opens one where the event can be a packet's first. Null = an orphan.</summary>
    private PacketTrace? Find(in PacketEvent e, ProbeRole role, bool hasHeader, in PacketHeader header, ulong head, ITraceSink closed)
    {
        VisitKey key = new(e.SkbAddr, e.Netns);
        if (_open.TryGetValue(key, out PacketTrace? known))
        {
            if (!VisitRules.BeginsNewVisit(known, e, role, hasHeader, header))
            {
                return known;
            }
            Finish(known, known.HasLeft ? TraceEnd.Left : TraceEnd.Replaced, closed);
        }
        if (!VisitRules.CanBegin(role, hasHeader))
        {
            return null;
        }
        if (hasHeader && OriginalOfClone(head, e, role, header) is { } original)
        {
            if (original.AddClone(e.SkbAddr))
            {
                _open[key] = original;
            }
            return original;
        }
        PacketTrace born = pool.Rent();
        born.Begin(e, ++_generation);
        _open[key] = born;
        _moving.Add(born);
        Counters.Packets++;
        return born;
    }

    private PacketTrace? OriginalOfClone(ulong head, in PacketEvent e, ProbeRole role, in PacketHeader header) =>
        _byHead.TryGetValue(new VisitKey(head, e.Netns), out PacketTrace? original) && VisitRules.IsClone(original, e, role, header)
            ? original
            : null;

    /// <summary>Clones are found by the buffer they share; it changes when the packet needs more room.</summary>
    private void Rehead(PacketTrace trace, ulong head)
    {
        if (trace.Head != head)
        {
            ForgetHead(trace);
            trace.Head = head;
            _byHead[new VisitKey(head, trace.Netns)] = trace;
        }
    }

    private void MoveToNewest(PacketTrace trace)
    {
        TraceList list = trace.Stage == TraceStage.Left ? _left : _moving;
        trace.List!.Remove(trace);
        list.Add(trace);
    }

    private void Finish(PacketTrace trace, TraceEnd end, ITraceSink closed)
    {
        Detach(trace);
        trace.Close(end);
        Counters.Closed++;
        closed.Take(trace);
    }

    private void Detach(PacketTrace trace)
    {
        _open.Remove(new VisitKey(trace.SkbAddr, trace.Netns));
        foreach (ulong clone in trace.Clones)
        {
            _open.Remove(new VisitKey(clone, trace.Netns));
        }
        trace.List?.Remove(trace);
        ForgetHead(trace);
    }

    private void ForgetHead(PacketTrace trace)
    {
        VisitKey key = new(trace.Head, trace.Netns);
        if (trace.Head != 0 && _byHead.TryGetValue(key, out PacketTrace? last) && ReferenceEquals(last, trace))
        {
            _byHead.Remove(key);
        }
    }

    private readonly record struct VisitKey(ulong Address, uint Netns)
    {
        // skb addresses differ in few bits: multiply, so that Dictionary's buckets fill evenly.
        public override int GetHashCode() => (int)(((Address >> 6) + Netns) * 0x9E3779B97F4A7C15UL >> 33);
    }
}

/// <summary>Takes closed traces; it owns them from then on and gives them back to their pool.</summary>
internal interface ITraceSink
{
    public void Take(PacketTrace trace);
}

/// <summary>What the tracker counted, cumulative.</summary>
internal sealed class TrackerCounters
{
    public long Packets { get; set; }

    public long Closed { get; set; }

    /// <summary>True repeats, not kept.</summary>
    public long Repeats { get; set; }

    /// <summary>Ends and look-ups of packets that were in flight before the session or are closed already.</summary>
    public long OrphanEvents { get; set; }

    /// <summary>nft verdicts of packets that could not be told.</summary>
    public long UnjoinedVerdicts { get; set; }

    public long Evicted { get; set; }

    public long TimedOut { get; set; }

    /// <summary>Traces given up because handling one of their events threw.</summary>
    public long Failed { get; set; }
}
