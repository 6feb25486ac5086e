using NftCluster.Actors;
using NftCluster.Node.Export;
using NftCluster.Node.Pipeline;

namespace NftCluster.Node.Sessions;

/// <summary>
/// Owns the packet traces of one session. A packet trace is the light actor of the design: no thread and no queue of its own,
/// it gets its events here, and what it throws costs that one trace.
/// </summary>
internal sealed class PacketTraceShardActor : Actor<ShardMessage>, ITraceSink
{
    private const int ClosedBatchSize = 256;
    private const ulong MarkEveryNs = 1_000_000_000;

    private readonly SessionSpec _spec;
    private readonly ActorRef<SessionMessage> _session;
    private readonly OutputLane? _output;
    private readonly TracePool _pool;
    private readonly VisitTracker _tracker;
    private readonly SessionStatistics _statistics;
    private readonly BatchReader _reader;
    private readonly bool _keepsAll;
    private readonly PacketTrace[] _closed = new PacketTrace[ClosedBatchSize];
    private int _closedCount;
    private long _handedOut;
    private bool _limitTold;
    private ulong _markedNs;

    public PacketTraceShardActor(SessionSpec spec, ProbeFacts facts, int sessionBit, ActorRef<SessionMessage> session, OutputLane? output, TracePool pool)
    {
        _spec = spec;
        _session = session;
        _output = output;
        _pool = pool;
        bool wantsEverything = string.IsNullOrWhiteSpace(spec.Filter) && spec.Device is null && spec.Mark is null;
        _tracker = new VisitTracker(facts, spec.Tracker with { ShowsUnjoinedVerdicts = wantsEverything, KeepsPayload = spec.SnapBytes > 0 }, _pool);
        _statistics = new SessionStatistics(facts.Count);
        _reader = new BatchReader(_tracker, _statistics, sessionBit) { OnTraceFailed = failure => _session.Tell(new TraceFailed(failure.Message)) };
        _keepsAll = string.Equals(spec.Quality, TraceQuality.All, StringComparison.Ordinal);
    }

    /// <summary>Exactly so many are handed out; what comes until the session has stopped is only counted.</summary>
    private bool IsLimitReached => _spec.MaxPackets > 0 && _handedOut >= _spec.MaxPackets;

    public void Take(PacketTrace trace)
    {
        bool valuable = TraceQuality.IsValuable(trace.EventCount, trace.Verdict == Verdict.Dropped, trace.NftVerdictCount);
        _statistics.CountTrace(trace, valuable);
        bool wanted = (valuable || _keepsAll) && !IsLimitReached && _spec.Sampling?.Keeps(trace) != false;
        _handedOut += wanted ? 1 : 0;
        if (_output is null || !wanted)
        {
            _pool.ReturnLocal(trace);
            return;
        }
        _closed[_closedCount++] = trace;
        if (_closedCount == _closed.Length)
        {
            SendClosed();
        }
    }

    protected override ValueTask ReceiveAsync(ShardMessage message)
    {
        switch (message)
        {
            case EventsRead { Batch: var batch }:
                try
                {
                    _reader.Read(batch, this);
                }
                finally
                {
                    batch.Release();
                }
                break;
            case RingDrained { Notice: var drained }:
                try
                {
                    _tracker.Expire(drained.NowNs, this);
                    SendClosed();
                    Mark(drained.NowNs);
                }
                finally
                {
                    drained.Release();
                }
                break;
            case GetShardStatistics { ReplyTo: var asker }:
                asker.Tell(Snapshot());
                break;
            case CloseTraces:
                _tracker.CloseAll(this);
                SendClosed();
                _session.Tell(new TracesClosed(Snapshot()));
                break;
        }
        if (IsLimitReached && !_limitTold)
        {
            _limitTold = true;
            _session.Tell(new PacketLimitReached());
        }
        return default;
    }

    private void Mark(ulong nowNs)
    {
        if (nowNs - _markedNs >= MarkEveryNs)
        {
            _markedNs = nowNs;
            _output?.Mark(nowNs);
        }
    }

    private StatisticsSnapshot Snapshot() => _statistics.Snapshot(_tracker.Counters, _tracker.Open);

    private void SendClosed()
    {
        if (_closedCount == 0)
        {
            return;
        }
        PacketTrace[] traces = _closed.AsSpan(0, _closedCount).ToArray();
        _closedCount = 0;
        if (!_output!.Offer(traces))
        {
            // The lane to the output is full: these traces are counted, but not shown or exported.
            _statistics.CountUnwritten(traces.Length);
            _pool.Return(traces);
        }
    }
}
