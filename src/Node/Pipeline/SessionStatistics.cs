namespace NftCluster.Node.Pipeline;

/// <summary>Totals of one session; owned by its shard, read by others as a snapshot.</summary>
internal sealed class SessionStatistics(int probes)
{
    private readonly long[] _hits = new long[probes];
    private readonly long[] _verdicts = new long[Enum.GetValues<Verdict>().Length];
    private readonly Dictionary<uint, long> _dropReasons = [];

    public long Events { get; private set; }

    public long Packets { get; private set; }

    public long Valuable { get; private set; }

    /// <summary>Closed traces that the output had no room for.</summary>
    public long Unwritten { get; private set; }

    public void CountUnwritten(int traces) => Unwritten += traces;

    public void CountEvent(ushort probe)
    {
        Events++;
        if (probe < _hits.Length)
        {
            _hits[probe]++;
        }
    }

    public void CountTrace(PacketTrace trace, bool valuable)
    {
        Packets++;
        Valuable += valuable ? 1 : 0;
        _verdicts[(int)trace.Verdict]++;
        if (trace.Verdict == Verdict.Dropped)
        {
            System.Runtime.InteropServices.CollectionsMarshal.GetValueRefOrAddDefault(_dropReasons, trace.DropReason, out _)++;
        }
    }

    public StatisticsSnapshot Snapshot(TrackerCounters counters, int open) => new(
        Events,
        Packets,
        Valuable,
        [.. _hits],
        [.. _verdicts],
        new Dictionary<uint, long>(_dropReasons),
        counters.Repeats,
        counters.OrphanEvents,
        counters.Evicted,
        counters.Failed,
        counters.UnjoinedVerdicts,
        Unwritten,
        open);
}

/// <summary>A copy that may travel. Hits are indexed by probe, verdicts by <see cref="Verdict"/>.</summary>
internal sealed record StatisticsSnapshot(
    long Events,
    long Packets,
    long Valuable,
    long[] Hits,
    long[] Verdicts,
    IReadOnlyDictionary<uint, long> DropReasons,
    long Repeats,
    long OrphanEvents,
    long Evicted,
    long Failed,
    long UnjoinedVerdicts,
    long Unwritten,
    int Open);
