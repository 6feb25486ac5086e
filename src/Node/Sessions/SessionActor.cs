using NftCluster.Actors;
using NftCluster.Node.Export;
using NftCluster.Node.Kernel;
using NftCluster.Node.Kernel.Filter;
using NftCluster.Node.Nftables;
using NftCluster.Node.Pipeline;

namespace NftCluster.Node.Sessions;

/// <summary>
/// One session: its states, its shard of packet traces, its outputs. Its end in order:
/// (1) no more events, (2) all events with the shard, (3) traces closed, (4) outputs complete, (5) answer. What is read live
/// may end later, or never: only who asks for that waits for it.
/// </summary>
internal sealed class SessionActor(SessionSpec spec, SessionPlace place, int shardMailbox) : Actor<SessionMessage>
{
    private const string LivePart = "live";

    private static readonly TimeSpan _remembered = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(5);

    private readonly SessionStateMachine _state = new();
    private readonly List<ActorRef<SessionEnded>> _waiting = [];
    private SessionReport _report = null!;
    private ActorRef<ShardMessage> _shard = null!;
    private OutputLane? _output;
    private SessionLive _live = SessionLive.None();
    private SessionEnded? _ended;
    private bool _isTold;
    private string? _expression = spec.Filter;
    private StatisticsSnapshot? _last;
    private StatisticsSnapshot? _seen;
    private KernelCounts? _counts;
    private IReadOnlyList<Messages.LossRecord> _rulesetLosses = [];

    /// <summary>Parts hold a session's state: one that throws cannot be made anew, so the session fails and says why.</summary>
    protected override SupervisorStrategy Supervision => SupervisorStrategy.StopAlways;

    protected override ValueTask PreStartAsync()
    {
        _state.Advance(SessionState.Starting);
        _report = new SessionReport(spec, place);
        TracePool pool = new();
        ActorRef<SessionMessage> self = Context.Self;
        if (spec.Live.Count > 0)
        {
            LiveLane lane = new();
            _live = SessionLive.With(lane);
            ActorRef<LiveMessage> live = Context.Spawn<LiveMessage>("live", () => new LiveOutputActor(spec.Live, lane, self), Mailbox.DropNewest(LiveLane.Mailbox));
            lane.LeadTo(live);
            Context.WatchWith(live, new PartDied(LivePart));
        }
        if (spec.Outputs.Count + spec.Live.Count > 0)
        {
            RulesetHistory history = new();
            _rulesetLosses = place.IsRulesetWatched ? RulesetLosses.None : [];
            DeviceNames devices = new();
            NftRecordFactory verdicts = new(history, devices);
            TraceRecordFactory records = new(place.Facts, place.Host, place.DropReasons, devices, verdicts) { LeavesEventsOut = !spec.Outputs.Concat(spec.Live).Any(output => output.NeedsEvents), SnapBytes = spec.SnapBytes };
            OutputLane lane = new();
            ActorRef<OutputMessage> writer = Context.Spawn<OutputMessage>("output", () => new OutputActor(spec.Outputs, lane, _live.Lane, records, verdicts, history, place.IsRulesetWatched, pool, self), Mailbox.DropNewest(OutputLane.Mailbox));
            lane.LeadTo(writer);
            if (place.Ruleset is { } ruleset)
            {
                lane.Tell(ruleset);
            }
            Context.WatchWith(writer, new PartDied("output"));
            _output = lane;
        }
        _shard = Context.Spawn<ShardMessage>("traces", () => new PacketTraceShardActor(spec, place.Facts, place.Bit, self, _output, pool), Mailbox.Wait(shardMailbox));
        Context.WatchWith(_shard, new PartDied("traces"));
        place.Poller.Tell(new Subscribe(place.Bit, _shard));
        return default;
    }

    protected override async ValueTask ReceiveAsync(SessionMessage message)
    {
        switch (message)
        {
            case EventsBegan:
                _state.Advance(SessionState.Running);
                break;
            case GetStatus { ReplyTo: var asker }:
                asker.Tell(await StatusAsync());
                break;
            case GetHits { ReplyTo: var asker }:
                asker.Tell(new HitCounts((await SnapshotAsync())?.Hits ?? []));
                break;
            case ChangeFilter change:
                change.ReplyTo.Tell(await ChangeAsync(change.Expression));
                break;
            case PacketLimitReached:
            case StopSession { ReplyTo: null }:
                BeginStop();
                break;
            case StopSession { ReplyTo: { } asker }:
                _waiting.Add(asker);
                BeginStop();
                Answer();
                break;
            case EventsEnded:
                await TellShardToCloseAsync();
                break;
            case TracesClosed { Snapshot: var snapshot }:
                await ExportAsync(snapshot);
                break;
            case RulesetLost { Losses: var losses }:
                _rulesetLosses = losses;
                break;
            case OutputsCompleted { Error: var error, RulesetLosses: var losses }:
                _rulesetLosses = losses;
                End(error);
                break;
            case AwaitLive { ReplyTo: var asker }:
                _live.Await(asker);
                break;
            case LiveFailed { Error: var error }:
                _live.Failed(error);
                BeginStop();
                break;
            case LiveCompleted { Error: var error }:
                EndLive(error);
                break;
            case PartDied { Part: LivePart }:
                EndLive("the session's live actor died");
                BeginStop();
                break;
            case OutputFailed { Error: var error }:
                Fail(error);
                break;
            case PartDied { Part: var part } when !_state.IsOver:
                Fail($"the session's {part} actor died");
                break;
            case ForgetSession:
                Context.StopSelf();
                break;
            case RulesetTold { Fact: var fact }:
                _ = _output?.Tell(fact);
                break;
            case PathsUnseen { Ways: var ways }:
                _report.AddUnseen(ways);
                break;
            case TraceFailed { Error: var error }:
                _report.LastTraceError = error;
                break;
        }
    }

    private void BeginStop()
    {
        if (_state.State == SessionState.Running)
        {
            _state.Advance(SessionState.Stopping);
            place.Node.Tell(new EndEvents(place.Bit));
        }
    }

    private async ValueTask TellShardToCloseAsync()
    {
        if (_state.State is SessionState.Stopping or SessionState.Failed)
        {
            await _shard.TellAsync(new CloseTraces());
        }
    }

    private async ValueTask ExportAsync(StatisticsSnapshot snapshot)
    {
        _last = snapshot;
        await CountsAsync();
        bool failed = _state.State == SessionState.Failed;
        if (!failed)
        {
            _state.Advance(SessionState.Exporting);
        }
        _ended = new SessionEnded(_report.Session(failed ? SessionState.Failed : SessionState.Stopped, _expression, _state.FailureReason), Numbers());
        if (_output is null)
        {
            End(null);
        }
        else if (!failed)
        {
            _output.Complete(new CompleteOutputs(_ended.Session, _ended.Statistics));
        }
        else
        {
            CompleteLiveAfterFailure();
            Answer();
        }
    }

    private void End(string? error)
    {
        if (error is not null)
        {
            _state.Fail(error);
        }
        else if (_state.State is SessionState.Exporting)
        {
            _state.Advance(SessionState.Stopped);
        }
        _ended = new SessionEnded(
            _ended!.Session with { State = SessionStateMachine.NameOf(_state.State), FailureReason = _state.FailureReason },
            RulesetLosses.CountIn(LiveLane.CountIn(_ended.Statistics, _live.Lane), _rulesetLosses));
        Answer();
    }

    private void EndLive(string? error)
    {
        _live.End(error);
        ForgetLater();
    }

    /// <summary>The output actor, which ends the live side of a session that ends well, is not asked to complete anything.</summary>
    private void CompleteLiveAfterFailure()
    {
        if (_ended is not null)
        {
            _live.Lane?.Complete(_ended.Session, _ended.Statistics);
        }
    }

    private void Fail(string reason)
    {
        SessionState before = _state.State;
        if (!_state.Fail(reason))
        {
            return;
        }
        if (before is SessionState.Starting or SessionState.Running)
        {
            place.Node.Tell(new EndEvents(place.Bit));
        }
        if (_shard.WhenStopped.IsCompleted)
        {
            _ended = new SessionEnded(_report.Session(SessionState.Failed, _expression, reason), Numbers());
        }
        else if (_ended is not null)
        {
            // While exporting: the output that died will not say that it is complete.
            _ended = _ended with { Session = _ended.Session with { State = SessionStateMachine.NameOf(_state.State), FailureReason = reason } };
        }
        CompleteLiveAfterFailure();
        Answer();
    }

    private void Answer()
    {
        if (_ended is null || !_state.IsOver || _waiting.Count == 0)
        {
            return;
        }
        foreach (ActorRef<SessionEnded> asker in _waiting)
        {
            asker.Tell(_ended);
        }
        _waiting.Clear();
        _isTold = true;
        ForgetLater();
    }

    /// <summary>Its end has been told and its last line written; whoever asks again soon is answered, then it goes.</summary>
    private void ForgetLater()
    {
        if (_isTold && _live.IsOver)
        {
            Timers.StartSingle(nameof(ForgetSession), new ForgetSession(), _remembered);
        }
    }

    private async ValueTask<FilterAnswer> ChangeAsync(string? expression)
    {
        try
        {
            var wants = SessionWants.Of(spec with { Filter = expression });
            FilterAnswer answer = await place.Node.AskAsync<FilterAnswer>(reply => new ReplaceFilter(place.Bit, wants, reply), _patience);
            _expression = answer.Error is null ? expression : _expression;
            return answer;
        }
        catch (Exception refused) when (refused is KernelException or FilterException)
        {
            return new FilterAnswer(refused.Message);
        }
    }

    private async ValueTask<StatisticsSnapshot?> SnapshotAsync()
    {
        if (_last is null && !_shard.WhenStopped.IsCompleted && _state.State is not SessionState.Created)
        {
            return await _shard.AskAsync<StatisticsSnapshot>(reply => new GetShardStatistics(reply), _patience);
        }
        return _last;
    }

    /// <summary>Who only asks how it goes must not bring down a session whose parts are busy: it hears the numbers of last time.</summary>
    private async ValueTask<SessionStatus> StatusAsync()
    {
        try
        {
            _seen = await SnapshotAsync() ?? _seen;
        }
        catch (TimeoutException)
        {
            // The shard is busy with what it was handed; the next question may fare better.
        }
        await CountsAsync();
        return new SessionStatus(_state.State, Numbers());
    }

    private Messages.StatisticsRecord Numbers() => RulesetLosses.CountIn(_report.Statistics(_last ?? _seen, _counts, _shard.Dropped, _live.Lane?.Refused ?? 0), _rulesetLosses);

    private async ValueTask CountsAsync()
    {
        try
        {
            _counts = await place.Node.AskAsync<KernelCounts>(reply => new GetKernelCounts(reply), _patience);
        }
        catch (TimeoutException)
        {
            // The node is busy: the numbers of last time must do, the session goes on.
        }
    }
}
