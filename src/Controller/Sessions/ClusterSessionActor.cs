using Microsoft.Extensions.Logging;
using NftCluster.Actors;
using NftCluster.Controller.Cluster;
using NftCluster.Controller.Storage;

namespace NftCluster.Controller.Sessions;

/// <summary>A session as it was read from the journal, and where it is written on.</summary>
internal sealed record SessionPlace(ClusterSession Session, EventStream<SessionEvent> Stream, ActorRef<ClusterMessage> Cluster, SessionCheck Check, ILogger Logger);

/// <summary>
/// Owns one session of the cluster: every change is in the journal before anybody hears of it, so a controller that is killed
/// finds it as it was told. What nodes observe is not stored: they say it again when they connect.
/// </summary>
internal sealed class ClusterSessionActor(SessionPlace place) : Actor<ClusterMessage>
{
    /// <summary>How long connected nodes may take to hand over what they have; the rest is stored all the same when it comes.</summary>
    public static readonly TimeSpan StopGrace = TimeSpan.FromSeconds(30);

    /// <summary>A timer holds 49 days: longer sessions look again then.</summary>
    private static readonly TimeSpan _longestTimer = TimeSpan.FromDays(40);

    private readonly ClusterSession _session = place.Session;
    private readonly SessionMembers _members = new();

    protected override async ValueTask PreStartAsync()
    {
        if (_session.IsWanted && _session.EndsAt is { } ends)
        {
            StartDuration(ends);
        }
        if (_session.State == ClusterSession.Stopping)
        {
            Timers.StartSingle(nameof(StopGraceOver), new StopGraceOver(), StopGrace);
        }
        await AnnounceAsync();
    }

    protected override async ValueTask ReceiveAsync(ClusterMessage message)
    {
        switch (message)
        {
            case ChangeSession { Patch: var patch, ReplyTo: var asker }:
                asker.Tell(await TryAsync(place.Check.Complaint(Patched(patch)) is { } wrong ? wrong : _session.Change(patch, Now)));
                if (_session.IsWanted && _session.EndsAt is { } ends)
                {
                    StartDuration(ends);
                }
                break;
            case PauseSession { ReplyTo: var asker }:
                asker.Tell(await TryAsync(_session.Pause(Now)));
                break;
            case ResumeSession { ReplyTo: var asker }:
                asker.Tell(await TryAsync(_session.Resume(Now)));
                break;
            case StopSession { By: var by, ReplyTo: var asker }:
                asker.Tell(await StopAsync($"stopped by {by}"));
                break;
            case GetSession { ReplyTo: var asker }:
                asker.Tell(View());
                break;
            case MemberSeen { Node: var node }:
                _members.See(node, _session.IsWanted && DesiredSessions.Selects(_session.Request.Nodes, node));
                await SettleAsync();
                break;
            case MemberObserved { NodeId: var nodeId, Session: { } observed }:
                _members.Observe(nodeId, observed);
                await SettleAsync();
                break;
            case MemberObserved { NodeId: var nodeId }:
                _members.ObserveAbsence(nodeId);
                await SettleAsync();
                break;
            case NodeReported { NodeId: var nodeId, Report: var report }:
                _members.Report(nodeId, report);
                await SettleAsync();
                break;
            case DurationOver when _session.IsWanted && _session.EndsAt is { } due:
                if (Now < due)
                {
                    StartDuration(due);
                    break;
                }
                await StopAsync("its time is over");
                break;
            case StopGraceOver when _session.State == ClusterSession.Stopping:
                await StoreAsync(new SessionStopped(Now, _members.All));
                break;
        }
    }

    private DateTimeOffset Now => Context.Time.GetUtcNow();

    private SessionRequest Patched(SessionPatch patch) => _session.Request with
    {
        Name = patch.Name ?? _session.Request.Name,
        Filter = patch.Filter ?? _session.Request.Filter,
        Quality = patch.Quality ?? _session.Request.Quality,
        Nodes = patch.Nodes ?? _session.Request.Nodes,
        Limits = patch.Limits ?? _session.Request.Limits,
    };

    private async ValueTask<Result<ClusterSessionView>> TryAsync(Result<SessionEvent> decided)
    {
        if (decided.Value is not { } happened)
        {
            return decided.Error!;
        }
        return await StoreAsync(happened) is { } full ? full : View();
    }

    private async ValueTask<Result<ClusterSessionView>> StopAsync(string reason)
    {
        Result<ClusterSessionView> stopped = await TryAsync(_session.Stop(reason, Now));
        if (stopped.Value is not null)
        {
            Timers.Cancel(nameof(DurationOver));
            Timers.StartSingle(nameof(StopGraceOver), new StopGraceOver(), StopGrace);
            await SettleAsync();
        }
        return stopped;
    }

    /// <summary>What the nodes' states make of the session's.</summary>
    private async ValueTask SettleAsync()
    {
        if (_session.State == ClusterSession.Starting && _members.AnyRuns)
        {
            await StoreAsync(new SessionRunning(Now));
        }
        else if (_session.IsWanted && _members.AllFailed)
        {
            NodeSessionView first = _members.All[0];
            await StoreAsync(new SessionFailed(Now, $"no node could run it; {first.NodeName}: {first.FailureReason ?? "no reason given"}", _members.All));
        }
        else if (_session.State == ClusterSession.Stopping && _members.AllEnded)
        {
            Timers.Cancel(nameof(StopGraceOver));
            await StoreAsync(new SessionStopped(Now, _members.All));
        }
        else if (_session.IsWanted && _session.Request.Limits.Packets is > 0 and var most && _members.Statistics?.ValuablePackets >= most)
        {
            await StopAsync($"its limit of {most} packets is reached");
        }
        else
        {
            await AnnounceAsync();
        }
    }

    /// <summary>Null: it is durable, and has happened. Else nothing has; what nodes say next tries again.</summary>
    private async ValueTask<CommandError?> StoreAsync(SessionEvent happened)
    {
        try
        {
            await place.Stream.AppendAsync(happened, happened.At);
        }
        catch (StorageException failure)
        {
            ClusterLog.Session(place.Logger, _session.Id, $"nothing was changed: {failure.Message}");
            return new CommandError(CommandError.Unavailable, null, $"nothing was changed: {failure.Message}");
        }
        _session.Apply(happened);
        ClusterLog.Session(place.Logger, _session.Id, $"{_session.State}{(_session.IsPaused ? " (paused)" : "")}, generation {_session.Generation}");
        await AnnounceAsync();
        return null;
    }

    private async ValueTask AnnounceAsync() =>
        await place.Cluster.TellAsync(new SessionIsNow(View(), _session.IsWanted ? DesiredSessions.Of(_session) : null, place.Stream.Version));

    private void StartDuration(DateTimeOffset ends)
    {
        TimeSpan left = ends - Now;
        TimeSpan wait = left < TimeSpan.Zero ? TimeSpan.Zero : left > _longestTimer ? _longestTimer : left;
        Timers.StartSingle(nameof(DurationOver), new DurationOver(), wait);
    }

    private ClusterSessionView View() => new()
    {
        Id = _session.Id,
        Name = _session.Request.Name ?? _session.Id,
        Owner = _session.Owner,
        State = _session.State,
        IsPaused = _session.IsPaused,
        FailureReason = _session.FailureReason,
        Request = _session.Request,
        Generation = _session.Generation,
        CreatedAt = _session.CreatedAt,
        StartedAt = _session.StartedAt,
        EndsAt = _session.EndsAt,
        StoppedAt = _session.StoppedAt,
        StopReason = _session.StopReason,
        Nodes = _session.IsOver ? _session.NodesAtEnd : _members.All,
        Statistics = _session.IsOver ? StatisticsSum.Of([.. _session.NodesAtEnd.Select(node => node.Statistics).OfType<Messages.StatisticsRecord>()]) : _members.Statistics,
    };
}
