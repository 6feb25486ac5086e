using NftCluster.Actors;
using NftCluster.Messages;
using NftCluster.Node.Export;
using NftCluster.Node.Nftables;
using NftCluster.Node.Pipeline;

namespace NftCluster.Node.Sessions;

/// <summary>What the actor that writes closed traces is told.</summary>
internal abstract record OutputMessage;

/// <summary>Closed traces; they go back to their pool afterwards.</summary>
internal sealed record TracesToWrite(PacketTrace[] Traces) : OutputMessage;

/// <summary>Fact: what the ruleset's watcher heard. While it waits, a confirmation can be renewed by one who tells; taken once by the lane's writer.</summary>
internal sealed record RulesetChanged : OutputMessage
{
    private RulesetFact? _fact;

    public RulesetChanged(RulesetFact fact) => _fact = fact;

    /// <summary>False when it was taken, or confirms another generation.</summary>
    public bool TryRenew(GenerationConfirmed fact) =>
        Volatile.Read(ref _fact) is GenerationConfirmed waiting && waiting.Generation == fact.Generation && Interlocked.CompareExchange(ref _fact, fact, waiting) == waiting;

    public RulesetFact Take() => Interlocked.Exchange(ref _fact, null) ?? throw new InvalidOperationException("a fact was taken twice");
}

/// <summary>Fact, from the shard: what closed before this time (CLOCK_MONOTONIC) was offered.</summary>
internal sealed record CaughtUpTo(ulong NowNs) : OutputMessage;

/// <summary>Order to itself: what still waits for its ruleset is written without.</summary>
internal sealed record StopWaiting : OutputMessage;

/// <summary>Nothing more will come: end every output with these, then answer with an error or null.</summary>
internal sealed record CompleteOutputs(SessionRecord Session, StatisticsRecord Statistics) : OutputMessage;

/// <summary>
/// Turns closed traces into records and gives them to the session's outputs, away from the actor that assembles them. What
/// somebody reads live goes on through its lane: a reader who stands still is never in an export's way.
/// </summary>
internal sealed class OutputActor(IReadOnlyList<ITraceOutput> outputs, OutputLane lane, LiveLane? live, TraceRecordFactory records, NftRecordFactory verdicts, RulesetHistory history, bool isRulesetWatched, TracePool pool, ActorRef<SessionMessage> session) : Actor<OutputMessage>
{
    /// <summary>The watcher asks for the generation every 10 ms; a machine too busy for that gets texts late, then none.</summary>
    private static readonly TimeSpan _patience = TimeSpan.FromMilliseconds(500);

    /// <summary>Traces that wait at most for their ruleset: the other half of the lane is for those who come meanwhile.</summary>
    private const int MostUnbound = OutputLane.MostTraces / 2;

    /// <summary>A reading is told by another thread than the announcements: it may come a moment later.</summary>
    private const long GapSettledNs = 1_000_000_000;

    // In order: nobody overtakes a trace whose verdicts cannot be bound yet.
    private readonly Queue<PacketTrace[]> _unbound = new();
    private int _unboundTraces;
    private CompleteOutputs? _end;
    private readonly RulesetLosses _rulesetLosses = new(Monotonic.NowNs, records.Wall);
    private readonly OutputSet _outputs = new(outputs, failure => session.Tell(new OutputFailed(failure)));

    protected override ValueTask ReceiveAsync(OutputMessage message)
    {
        switch (message)
        {
            case TracesToWrite { Traces: var traces }:
                _unbound.Enqueue(traces);
                _unboundTraces += traces.Length;
                WriteBound();
                break;
            case RulesetChanged told:
                RulesetFact fact = lane.Take(told);
                history.Apply(fact);
                WriteBound();
                if (fact is GenerationConfirmed { AnsweredNs: var now })
                {
                    ForgetRulesets(now);
                }
                break;
            case CaughtUpTo { NowNs: var upTo }:
                lane.MarkTaken();
                if (_unbound.Count == 0)
                {
                    _outputs.CaughtUp(records.WallNs(upTo)); // else the next one tells
                }
                break;
            case StopWaiting:
                WriteAll();
                break;
            case CompleteOutputs complete:
                _end = complete;
                WriteBound();
                break;
        }
        return default;
    }

    /// <summary>Rulesets can be large: those that judged nothing and are over for seconds go. What nobody could read is told.</summary>
    private void ForgetRulesets(long nowNs)
    {
        history.Forget(nowNs);
        if (history.TakeGaps(nowNs - GapSettledNs) is { Count: > 0 } gaps)
        {
            _rulesetLosses.Add(gaps);
            session.Tell(new RulesetLost(_rulesetLosses.Records()));
        }
    }

    private void WriteBound()
    {
        while (_unbound.TryPeek(out PacketTrace[]? traces) && (history.IsBlind || _unboundTraces > MostUnbound || Array.TrueForAll(traces, verdicts.CanBind)))
        {
            WriteOldest();
        }
        if (_unbound.Count > 0)
        {
            if (!Timers.IsActive(nameof(StopWaiting)))
            {
                Timers.StartSingle(nameof(StopWaiting), new StopWaiting(), _patience);
            }
            return;
        }
        Timers.Cancel(nameof(StopWaiting));
        Complete();
    }

    private void WriteAll()
    {
        while (_unbound.Count > 0)
        {
            WriteOldest();
        }
        Complete();
    }

    private void WriteOldest()
    {
        PacketTrace[] traces = _unbound.Dequeue();
        _unboundTraces -= traces.Length;
        TraceRecord[] made = [.. traces.Select(records.Make)];
        pool.Return(traces);
        lane.Written(traces.Length);
        live?.Offer(made);
        _outputs.Write(made);
    }

    private void Complete()
    {
        if (_end is not { } end)
        {
            return;
        }
        _end = null;
        // Only now is the lane's count final: all traces have been offered.
        _rulesetLosses.Add(history.TakeLast(Monotonic.NowNs));
        IReadOnlyList<LossRecord> unread = isRulesetWatched ? _rulesetLosses.Records() : [];
        StatisticsRecord final = RulesetLosses.CountIn(LiveLane.CountIn(end.Statistics, live), unread);
        live?.Complete(end.Session, final);
        _outputs.Complete(end.Session, final);
        session.Tell(new OutputsCompleted(_outputs.Failure, unread));
    }

    protected override ValueTask PostStopAsync()
    {
        _outputs.Close();
        return default;
    }
}
