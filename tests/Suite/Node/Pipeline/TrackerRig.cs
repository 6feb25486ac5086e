using NftCluster.Node.Kernel.Probes;
using NftCluster.Node.Pipeline;

namespace NftCluster.Tests.Node.Pipeline;

/// <summary>A closed trace as a test looks at it: a copy, since the trace itself goes back to its pool.</summary>
internal sealed record ClosedTrace(
    ulong SkbAddr, uint Netns, uint Generation, TraceEnd End, Verdict Verdict, TraceDirection Direction, TraceMarks Marks,
    uint DropReason, uint Pid, PacketHeader In, PacketHeader Out, IReadOnlyList<TraceEvent> Events,
    IReadOnlyList<NftVerdict> NftVerdicts)
{
    public IEnumerable<string> Probes => Events.Select(e => ProbeCatalog.All[e.Probe].Name);

    public bool IsTruncated => (Marks & TraceMarks.Truncated) != 0;
}

/// <summary>A tracker behind its batch reader, as a shard has them; keeps copies of what is closed.</summary>
internal sealed class TrackerRig : ITraceSink
{
    private readonly VisitTracker _tracker;
    private readonly TracePool _pool = new();
    private Action<PacketTrace>? _inspect;

    public TrackerRig(TrackerOptions? options = null, int sessionBit = 0)
    {
        ProbeFacts facts = new(ProbeCatalog.All);
        _tracker = new VisitTracker(facts, options ?? new TrackerOptions(), _pool);
        Statistics = new SessionStatistics(facts.Count);
        Reader = new BatchReader(_tracker, Statistics, sessionBit);
    }

    public BatchReader Reader { get; }

    public SessionStatistics Statistics { get; }

    public List<ClosedTrace> Closed { get; } = [];

    public TrackerCounters Counters => _tracker.Counters;

    public int Open => _tracker.Open;

    public void Take(PacketTrace trace)
    {
        _inspect?.Invoke(trace);
        Closed.Add(new ClosedTrace(
            trace.SkbAddr, trace.Netns, trace.Generation, trace.End, trace.Verdict, trace.Direction, trace.Marks,
            trace.DropReason, trace.Pid, trace.In, trace.Out, trace.Events.ToArray(), trace.NftVerdicts.ToArray()));
        _pool.ReturnLocal(trace);
    }

    public TrackerRig Play(EventScript script)
    {
        Reader.Read(script.ToBatch(), this);
        return this;
    }

    public TrackerRig Expire(ulong nowNs)
    {
        _tracker.Expire(nowNs, this);
        return this;
    }

    /// <summary>Everything that was closed, after what is still open was closed as it is.</summary>
    public IReadOnlyList<ClosedTrace> CloseAll()
    {
        _tracker.CloseAll(this);
        return Closed;
    }

    /// <summary>The traces of a whole script.</summary>
    public static IReadOnlyList<ClosedTrace> Traces(EventScript script, TrackerOptions? options = null, Action<PacketTrace>? inspect = null) => new TrackerRig(options) { _inspect = inspect }.Play(script).CloseAll();
}
