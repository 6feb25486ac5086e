using System.Text.Json;
using Google.Protobuf;
using NftCluster.Actors;
using NftCluster.Messages;
using NftCluster.Messages.Link;
using NftCluster.Node.Spool;
using NftCluster.Node.Uplink;

namespace NftCluster.Node.Agent;

/// <summary>
/// Owns the desired set and what runs of it. It obeys what is on disk until the controller says otherwise: a node that comes back
/// without its controller goes on, and what it missed meanwhile becomes a loss record.
/// </summary>
internal sealed class AgentActor(AgentOptions options, NodeFacts facts, KernelHosts hosts, ActorRef<SpoolMessage> spool, SpoolLane lane, Action<string> say) : Actor<AgentMessage>
{
    public const string DesiredFact = "desired";
    public const string AliveFact = "alive";
    public const string StatisticsFact = "statistics ";

    /// <summary>A packet that came so long before its trace was closed for silence is older than what the spool has: the time-out, and as much for packets that waited.</summary>
    private const long OpenTracesNs = 6_000_000_000;
    private const int LooksPerReport = 5;
    private static readonly TimeSpan _look = TimeSpan.FromSeconds(1);

    private readonly Dictionary<string, LocalSession> _sessions = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> _counters = new(StringComparer.Ordinal);
    private ActorRef<UplinkMessage>? _uplink;
    private ProcessLoad _load = null!;
    private Desired? _followed;
    private bool _adopts = options.Adopts;
    private string? _disobeyed;
    private long _lookedAt;
    private int _looks;

    private long NowNs => TraceTime.UnixNs(Context.Time.GetUtcNow());

    protected override ValueTask PreStartAsync()
    {
        _load = new ProcessLoad(Context.Time);
        _lookedAt = Context.Time.GetTimestamp();
        Timers.StartPeriodic(nameof(LookAtSessions), new LookAtSessions(), _look);
        return default;
    }

    protected override async ValueTask ReceiveAsync(AgentMessage message)
    {
        switch (message)
        {
            case MeetUplink { Uplink: var uplink }:
                _uplink = uplink;
                TellObserved();
                break;
            case ResumeSessions:
                await ResumeAsync();
                break;
            case DesiredReceived { Desired: var desired }:
                await FollowAsync(desired);
                break;
            case RequestReceived { Request: var request }:
                _uplink?.Tell(new TellReply(await NodeAnswers.AnswerAsync(request, options, hosts)));
                break;
            case LookAtSessions:
                await LookAsync();
                break;
            case EndSessions { ReplyTo: var asker }:
                await EndAsync();
                asker.Tell(new SessionsEnded());
                break;
        }
    }

    protected override async ValueTask PostStopAsync() => await hosts.DisposeAsync();

    private async ValueTask ResumeAsync()
    {
        if (facts.Desired is not { } bytes)
        {
            return;
        }
        _followed = Desired.Parser.ParseFrom(bytes);
        long aliveNs = facts.AliveNs;
        // Read before anything is opened: what runs from here on moves the marks.
        var caughtUp = _followed.Session.ToDictionary(wanted => wanted.Id, wanted => facts.CaughtUpNs(wanted.Id) ?? aliveNs, StringComparer.Ordinal);
        foreach (DesiredSession wanted in _followed.Session)
        {
            await ApplyAsync(new PlanStep(wanted.Paused ? PlanKind.Pause : PlanKind.Open, wanted.Id, wanted));
            if (!wanted.Paused && aliveNs > 0 && _sessions[wanted.Id].IsOpen)
            {
                TellGap(wanted.Id, "node-down", facts.EndedInOrder ? aliveNs : Math.Min(aliveNs, caughtUp[wanted.Id]) - OpenTracesNs, facts.EndedInOrder ? "the node was stopped" : "the node was killed");
            }
        }
        if (_sessions.Count > 0)
        {
            say($"{_sessions.Count} session(s) of before resumed: {Listed()}");
        }
        TellObserved();
    }

    private async ValueTask FollowAsync(Desired desired)
    {
        if (Obedience.WhyNot(_followed, desired, _sessions.Values.Any(s => s.IsOpen), _adopts) is { } why)
        {
            if (_disobeyed != why)
            {
                say(why);
            }
            _disobeyed = why;
            TellObserved();
            return;
        }
        _adopts = false;
        _disobeyed = null;
        _followed = desired;
        var running = _sessions.ToDictionary(s => s.Key, s => s.Value.Wanted, StringComparer.Ordinal);
        foreach (PlanStep step in SessionPlan.Make(running, desired.Session))
        {
            await ApplyAsync(step);
        }
        // On disk before it is observed: who is killed from here on resumes what the controller believes to run, and knows since when.
        spool.Tell(new KeepFact(DesiredFact, desired.ToByteArray()));
        spool.Tell(new KeepFact(AliveFact, BitConverter.GetBytes(NowNs)));
        foreach (string opened in _sessions.Keys.Where(id => !running.TryGetValue(id, out DesiredSession? before) || before.Paused))
        {
            spool.Tell(new KeepFact(SpoolLane.CaughtUpFact + opened, BitConverter.GetBytes(NowNs)));
        }
        spool.Tell(new FlushSpool());
        await spool.FenceAsync();
        TellObserved();
    }

    private async ValueTask ApplyAsync(PlanStep step)
    {
        long now = NowNs;
        _sessions.TryGetValue(step.Id, out LocalSession? session);
        switch (step.Kind)
        {
            case PlanKind.Remove:
                await CloseAsync(session!, LocalSession.Stopped);
                _sessions.Remove(step.Id);
                spool.Tell(new KeepFact(StatisticsFact + step.Id, []));
                spool.Tell(new KeepFact(SpoolLane.CaughtUpFact + step.Id, []));
                return;
            case PlanKind.Pause:
                session ??= _sessions[step.Id] = Made(step.Wanted!);
                await CloseAsync(session, LocalSession.Paused);
                session.Adjust(step.Wanted!);
                break;
            case PlanKind.Open:
                session ??= _sessions[step.Id] = Made(step.Wanted!);
                await session.OpenAsync(step.Wanted!, hosts, lane, options.Netns, now);
                break;
            case PlanKind.Reopen:
                await CloseAsync(session!, LocalSession.Running);
                await session!.OpenAsync(step.Wanted!, hosts, lane, options.Netns, NowNs);
                TellGap(step.Id, "session-reopened", now, "what it watches was changed");
                break;
            case PlanKind.ChangeFilter:
                if (session!.IsOpen)
                {
                    await session.ChangeFilterAsync(step.Wanted!);
                }
                else
                {
                    await session.OpenAsync(step.Wanted!, hosts, lane, options.Netns, now); // it may have failed for its old filter
                }
                break;
            case PlanKind.Adjust:
                session!.Adjust(step.Wanted!);
                break;
        }
        Report(session!);
    }

    private LocalSession Made(DesiredSession wanted) => new(wanted, facts.StatisticsOf(wanted.Id));

    private async ValueTask CloseAsync(LocalSession session, string state)
    {
        Tell(session.Wanted.Id, await session.CloseAsync(hosts, state, NowNs));
        Report(session);
    }

    private async ValueTask LookAsync()
    {
        TimeSpan since = Context.Time.GetElapsedTime(_lookedAt);
        _lookedAt = Context.Time.GetTimestamp();
        Load load = _load.Look();
        bool changed = false;
        foreach (LocalSession session in _sessions.Values)
        {
            ObservedSession before = session.Observed();
            (bool isOver, IReadOnlyList<Loss> losses) = await session.LookAsync(load.CpuPercent, NowNs, since);
            Tell(session.Wanted.Id, losses);
            if (isOver)
            {
                await CloseAsync(session, LocalSession.Stopped);
            }
            bool isOther = !before.Equals(session.Observed());
            changed |= isOther;
            if (session.IsOpen && (isOther || _looks % LooksPerReport == 0))
            {
                Report(session);
            }
        }
        _looks++;
        if (_sessions.Values.Any(s => s.IsOpen))
        {
            spool.Tell(new KeepFact(AliveFact, BitConverter.GetBytes(NowNs)));
        }
        if (changed)
        {
            TellObserved();
        }
        load.EventsPerSecond = _sessions.Values.Sum(s => s.EventsPerSecond);
        _uplink?.Tell(new VitalsNow(load, new Dictionary<string, long>(_counters, StringComparer.Ordinal)));
    }

    private async ValueTask EndAsync()
    {
        foreach (LocalSession session in _sessions.Values.Where(s => s.IsOpen))
        {
            await CloseAsync(session, "STOPPING");
        }
        spool.Tell(new KeepFact(AliveFact, NodeFacts.InOrder(NowNs)));
        await spool.FenceAsync();
        spool.Tell(new FlushSpool());
        await spool.FenceAsync();
    }

    private void TellGap(string session, string stage, long fromNs, string text) =>
        Tell(session, [new Loss { Stage = stage, Kind = "packets", FromNs = fromNs, ToNs = NowNs, Text = text }]);

    private void Tell(string session, IReadOnlyList<Loss> losses)
    {
        if (losses.Count == 0)
        {
            return;
        }
        spool.Tell(new SpoolLosses(session, losses));
        foreach (Loss loss in losses)
        {
            _counters[loss.Stage] = _counters.GetValueOrDefault(loss.Stage) + (loss.HasCount ? (long)loss.Count : 1);
        }
    }

    private void Report(LocalSession session)
    {
        byte[] numbers = session.Statistics is { } statistics ? JsonSerializer.SerializeToUtf8Bytes(statistics, TraceJson.Default.StatisticsRecord) : [];
        spool.Tell(new SpoolReport(new SessionReport
        {
            SessionId = session.Wanted.Id,
            State = session.State,
            FailureReason = session.FailureReason ?? "",
            StatisticsJson = ByteString.CopyFrom(numbers),
            AtNs = NowNs,
        }));
        spool.Tell(new KeepFact(StatisticsFact + session.Wanted.Id, numbers));
    }

    private void TellObserved()
    {
        Observed observed = new() { ControllerIncarnation = _followed?.ControllerIncarnation ?? ByteString.Empty, Generation = _followed?.Generation ?? 0 };
        observed.Session.AddRange(_sessions.Values.Select(s => s.Observed()));
        _uplink?.Tell(new TellObserved(observed));
    }

    private string Listed() => string.Join(", ", _sessions.Values.Select(s => s.FailureReason is null ? $"{s.Wanted.Id} {s.State}" : $"{s.Wanted.Id} {s.State} ({s.FailureReason})"));
}
