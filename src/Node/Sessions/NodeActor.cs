using NftCluster.Actors;
using NftCluster.Node.Kernel;
using NftCluster.Node.Kernel.Filter;
using NftCluster.Node.Kernel.Native;
using NftCluster.Node.Nftables;
using NftCluster.Node.Pipeline;

namespace NftCluster.Node.Sessions;

/// <summary>
/// Owns the kernel half of this host: one set of attachments, one ring and its poller, and the sessions on them. A session
/// that fails is alone in it; the poller is restarted with back-off.
/// </summary>
[System.Diagnostics.CodeAnalysis.SuppressMessage("Design", "CA1001", Justification = "An actor's end is PostStopAsync: it disposes.")]
internal sealed class NodeActor(KernelTracer tracer, BatchPool batches, HostFacts host) : Actor<NodeMessage>
{
    /// <summary>Batches under way, and room for timer ticks and orders.</summary>
    private const int ShardMailbox = BatchPool.Batches * 4;

    /// <summary>A ruleset that changes all the time is never read: then sessions begin without, and their verdicts say so.</summary>
    private static readonly TimeSpan _rulesetPatience = TimeSpan.FromSeconds(2);

    private readonly Dictionary<int, ActorRef<SessionMessage>> _sessions = [];
    private readonly Dictionary<int, Opening> _opening = [];
    private readonly HashSet<int> _ending = [];
    private readonly PollerSubscribers _subscribers = new();
    private readonly ProbeFacts _facts = new(Kernel.Probes.ProbeCatalog.All);
    private ActorRef<PollerMessage>? _poller;
    private RulesetWatcher? _watcher;
    private readonly FollowedRuleset _followed = new();
    private RulesetRead? _ruleset;
    private readonly KeptRulesets _kept = new();
    private IReadOnlyList<string> _waysPast = [];
    private bool _isRulesetLate;
    private readonly List<(ActorRef<SessionOpened> Asker, ActorRef<SessionMessage> Session)> _unread = [];
    private long _opened;

    protected override SupervisorStrategy Supervision { get; } = new() { MaxRestarts = 5 };

    protected override ValueTask PreStartAsync()
    {
        ActorRef<NodeMessage> self = Context.Self;
        _poller = Context.Spawn<PollerMessage>("poller", () => new PollerActor(tracer.Ring, batches, self, _subscribers));
        if (tracer.Probes.Any(p => p is { Definition.Kind: Kernel.Probes.ProbeKind.Nft, Backend: not null }))
        {
            _watcher = new RulesetWatcher(tracer.NetnsPath, fact => self.Tell(new RulesetHeard(fact)), new RulesetWatcherOptions());
            _watcher.Start();
        }
        return default;
    }

    protected override ValueTask ReceiveAsync(NodeMessage message)
    {
        switch (message)
        {
            case OpenSession open:
                Open(open);
                break;
            case ReplaceFilter replace:
                replace.ReplyTo.Tell(Replace(replace));
                break;
            case EndEvents { Bit: var bit }:
                End(bit);
                break;
            case EventsHandedOver { Bit: var bit }:
                Release(bit);
                break;
            case SessionGone { Bit: var bit, Session: var gone } when _sessions.TryGetValue(bit, out ActorRef<SessionMessage>? current) && current == gone:
                Forget(bit);
                break;
            case SessionReady { Bit: var bit }:
                Start(bit);
                break;
            case RulesetHeard { Fact: var fact }:
                Hear(fact);
                break;
            case RulesetLate:
                _isRulesetLate = true;
                AnswerAll();
                break;
            case GetKernelCounts { ReplyTo: var asker }:
                asker.Tell(tracer.Counts());
                break;
            case GetRuleset { Generation: var generation, ReplyTo: var asker }:
                asker.Tell(new KeptRuleset(_kept.Find(generation)));
                break;
            case GetProbes { ReplyTo: var asker }:
                asker.Tell(List());
                break;
        }
        return default;
    }

    protected override ValueTask PostStopAsync()
    {
        _watcher?.Dispose();
        tracer.Dispose();
        batches.Dispose();
        return default;
    }

    /// <summary>
    /// 1. checks and a bit; 2. the session spawns its parts and subscribes its shard; 3. the poller has it (SessionReady);
    /// 4. the kernel half is told: the first event finds its shard.
    /// </summary>
    private void Open(OpenSession order)
    {
        try
        {
            var wants = SessionWants.Of(order.Spec);
            int bit = tracer.Reserve();
            SessionPlace place = new(bit, Context.Self, _poller!, tracer.Counts(), _facts, tracer.DropReasons, host, tracer.Probes.Count(p => p.Backend is not null), _watcher is not null, _ruleset);
            ActorRef<SessionMessage> session = Context.Spawn<SessionMessage>($"session-{++_opened}-{order.Spec.Id}", () => new SessionActor(order.Spec, place, ShardMailbox));
            _sessions[bit] = session;
            _opening[bit] = new Opening(wants, order.ReplyTo);
            Context.WatchWith(session, new SessionGone(bit, session));
        }
        catch (Exception refused) when (refused is KernelException or FilterException)
        {
            order.ReplyTo.Tell(new SessionOpened(null, refused.Message));
        }
    }

    private void Start(int bit)
    {
        if (!_opening.Remove(bit, out Opening? opening) || !_sessions.TryGetValue(bit, out ActorRef<SessionMessage>? session))
        {
            return;
        }
        try
        {
            tracer.Open(bit, opening.Wants.Filter, opening.Wants.Nodes);
            session.Tell(new EventsBegan());
            session.Tell(new PathsUnseen(Unseen()));
            Answer(opening.ReplyTo, session);
        }
        catch (KernelException refused)
        {
            session.Stop();
            opening.ReplyTo.Tell(new SessionOpened(null, refused.Message));
        }
    }

    /// <summary>Whoever waits for the session may count on it that the next verdict's rule is known: the ruleset has been read once.</summary>
    private void Answer(ActorRef<SessionOpened> asker, ActorRef<SessionMessage> session)
    {
        if (_watcher is not null && _ruleset is null && !_isRulesetLate)
        {
            _unread.Add((asker, session));
            Timers.StartSingle(nameof(RulesetLate), new RulesetLate(), _rulesetPatience);
            return;
        }
        asker.Tell(new SessionOpened(session, null));
    }

    private void AnswerAll()
    {
        Timers.Cancel(nameof(RulesetLate));
        _unread.ForEach(waiting => waiting.Asker.Tell(new SessionOpened(waiting.Session, null)));
        _unread.Clear();
    }

    private void Forget(int bit)
    {
        if (_opening.Remove(bit, out Opening? opening))
        {
            opening.ReplyTo.Tell(new SessionOpened(null, "the session could not start"));
        }
        _sessions.Remove(bit);
        End(bit);
    }

    private void End(int bit)
    {
        if (_ending.Add(bit))
        {
            tracer.Quiet(bit);
            _poller!.Tell(new Unsubscribe(bit));
        }
    }

    /// <summary>Only now may another session have the bit: no batch carries it for the old one any more.</summary>
    private void Release(int bit)
    {
        if (!_ending.Remove(bit))
        {
            return; // said twice, after a restart of the poller
        }
        tracer.Close(bit);
        if (_sessions.Remove(bit, out ActorRef<SessionMessage>? ended))
        {
            ended.Tell(new EventsEnded());
        }
    }

    private FilterAnswer Replace(ReplaceFilter order)
    {
        try
        {
            tracer.Replace(order.Bit, order.Wants.Filter, order.Wants.Nodes);
            return new FilterAnswer(null);
        }
        catch (KernelException refused)
        {
            return new FilterAnswer(refused.Message);
        }
    }

    private void Hear(RulesetFact fact)
    {
        TellSessions(fact);
        _followed.Apply(fact);
        if (fact is RulesetRead read)
        {
            // What is made for the first ruleset is there before any session that waited for it is open.
            bool isAnybodyOpen = _ruleset is not null || _isRulesetLate;
            _ruleset = read;
            _kept.Keep(read.Ruleset);
            Following following = tracer.Follow(read.Ruleset);
            if (following == Following.Remade && isAnybodyOpen && _followed.SinceNs is { } since)
            {
                TellSessions(new TracingRearmed(since, Monotonic.NowNs));
            }
            if (following != Following.Outdated)
            {
                _followed.Follow(read.Ruleset.Generation, read.AskedNs);
            }
            TellUnseen();
        }
        _isRulesetLate |= fact is WatchFailed;
        if (_ruleset is not null || _isRulesetLate)
        {
            AnswerAll();
        }
    }

    /// <summary>Asked again only when the ruleset brings another way past its chains.</summary>
    private void TellUnseen()
    {
        IReadOnlyList<string> ways = UnseenPaths.Of(_ruleset?.Ruleset, DevicePrograms.None);
        if (!ways.SequenceEqual(_waysPast, StringComparer.Ordinal))
        {
            _waysPast = ways;
            foreach (ActorRef<SessionMessage> session in _sessions.Values)
            {
                session.Tell(new PathsUnseen(ways));
            }
        }
    }

    private void TellSessions(RulesetFact fact)
    {
        foreach (ActorRef<SessionMessage> session in _sessions.Values)
        {
            session.Tell(new RulesetTold(fact));
        }
    }

    private ProbeListing List() => new(
        tracer.Probes,
        [.. tracer.Probes.Select(p => tracer.HitsWithoutPacket(p.Index))],
        [.. tracer.Probes.Select(p => p.ProgramFd >= 0 ? ProgramInfo.Misses(p.ProgramFd) : 0)],
        Unseen());

    /// <summary>Of several namespaces nobody asks: their rulesets are not read either.</summary>
    private IReadOnlyList<string> Unseen() => tracer.NetnsPath is { } path ? UnseenPaths.Of(_ruleset?.Ruleset, DevicePrograms.TryRead(path) ?? DevicePrograms.None) : [];

    private sealed record Opening(SessionWants Wants, ActorRef<SessionOpened> ReplyTo);
}
