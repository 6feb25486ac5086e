using System.Security.Cryptography;
using NftCluster.Actors;
using NftCluster.Controller.Sessions;
using NftCluster.Controller.Storage;
using NftCluster.Messages.Link;

namespace NftCluster.Controller.Cluster;

/// <summary>Sessions: one actor each, and the set that each node is to run.</summary>
internal sealed partial class ClusterActor
{
    private async ValueTask ReceiveSessionAsync(ClusterMessage message)
    {
        switch (message)
        {
            case CreateSession create:
                await CreateAsync(create);
                break;
            case SessionIsNow now when _sessions.TryGetValue(now.View.Id, out SessionSeat? seat):
                Take(seat, now);
                break;
            case ListSessions { ReplyTo: var asker }:
                asker.Tell([.. _sessions.Values.Select(seat => seat.View).OrderByDescending(view => view.CreatedAt)]);
                break;
            case DeleteSession delete:
                delete.ReplyTo.Tell(await DeleteAsync(delete.Id));
                break;
            case ChangeSession { Id: var id, ReplyTo: var asker }:
                Forward(id, message, asker);
                break;
            case PauseSession { Id: var id, ReplyTo: var asker }:
                Forward(id, message, asker);
                break;
            case ResumeSession { Id: var id, ReplyTo: var asker }:
                Forward(id, message, asker);
                break;
            case StopSession { Id: var id, ReplyTo: var asker }:
                Forward(id, message, asker);
                break;
            case GetSession { Id: var id, ReplyTo: var asker }:
                Forward(id, message, asker);
                break;
        }
    }

    private async ValueTask CreateAsync(CreateSession create)
    {
        if (place.Check.Complaint(create.Request) is { } wrong)
        {
            create.ReplyTo.Tell(wrong);
            return;
        }
        if (_sessions.Values.Count(seat => seat.Desired is not null) >= SessionCheck.MostSessions)
        {
            create.ReplyTo.Tell(new CommandError(CommandError.Conflict, null, $"{SessionCheck.MostSessions} sessions are running, more cannot: stop one first"));
            return;
        }
        string id = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8));
        EventStream<SessionEvent> stream = SessionStream(id);
        SessionCreated created = new(Now, id, create.Owner, create.Request);
        // First that there is one: a session whose own stream never came into being is passed over at the next start.
        if (await StoreAsync(new SessionAdded(Now, id)) is { } full)
        {
            create.ReplyTo.Tell(full);
            return;
        }
        try
        {
            await stream.AppendAsync(created, created.At);
        }
        catch (StorageException failure)
        {
            create.ReplyTo.Tell(NotStored(failure));
            return;
        }
        ClusterSession session = new();
        session.Apply(created);
        ActorRef<ClusterMessage> actor = Seat(session, stream);
        actor.Tell(new GetSession(id, create.ReplyTo));
    }

    private ActorRef<ClusterMessage> Seat(ClusterSession session, EventStream<SessionEvent> stream)
    {
        SessionPlace sessionPlace = new(session, stream, Context.Self, place.Check, place.Logger);
        // What is known before the actor has said it: the version counts for generations, the desired part for nodes that connect first.
        DesiredSession? desired = session.IsWanted ? DesiredSessions.Of(session) : null;
        ClusterSessionView view = new()
        {
            Id = session.Id,
            Name = session.Request.Name ?? session.Id,
            Owner = session.Owner,
            State = session.State,
            IsPaused = session.IsPaused,
            FailureReason = session.FailureReason,
            Request = session.Request,
            Generation = session.Generation,
            CreatedAt = session.CreatedAt,
            Nodes = session.NodesAtEnd,
        };
        long version = stream.Version;
        ActorRef<ClusterMessage> actor = Context.Spawn<ClusterMessage>($"session-{session.Id}", () => new ClusterSessionActor(sessionPlace));
        _sessions[session.Id] = new SessionSeat(actor, view, desired, version);
        foreach (Presence presence in _presences.Values)
        {
            actor.Tell(new MemberSeen(presence.Node));
        }
        if (desired is not null)
        {
            SendDesiredToAll();
        }
        return actor;
    }

    private void Take(SessionSeat seat, SessionIsNow now)
    {
        bool isOther = !Equals(seat.Desired, now.Desired) || !ReferenceEquals(seat.View.Request.Nodes, now.View.Request.Nodes);
        (seat.View, seat.Desired, seat.Version) = (now.View, now.Desired, now.Version);
        place.Listeners.Session?.Invoke(now.View);
        if (isOther)
        {
            // Selected anew: members that the patch brought in.
            foreach (Presence presence in _presences.Values.Where(presence => DesiredSessions.Selects(now.View.Request.Nodes, presence.Node) && now.View.Nodes.All(member => member.NodeId != presence.Node.Id)))
            {
                seat.Actor.Tell(new MemberSeen(presence.Node));
            }
            SendDesiredToAll();
        }
    }

    private async ValueTask<Result<ClusterSessionView>> DeleteAsync(string id)
    {
        if (!_sessions.TryGetValue(id, out SessionSeat? seat))
        {
            return NoSession(id);
        }
        if (seat.View.State is not (ClusterSession.Stopped or ClusterSession.Failed))
        {
            return new CommandError(CommandError.Conflict, null, $"session {id} is {seat.View.State}: stop it first");
        }
        if (await StoreAsync(new SessionRemoved(Now, id, seat.Version)) is { } full)
        {
            return full;
        }
        _sessions.Remove(id);
        Context.Stop(seat.Actor);
        return seat.View;
    }

    private void Observe(NodeObserved observed)
    {
        if (!observed.Observed.ControllerIncarnation.Equals(_incarnation))
        {
            return; // another controller's sessions
        }
        var parts = observed.Observed.Session.GroupBy(part => part.Id, StringComparer.Ordinal).ToDictionary(group => group.Key, group => group.Last(), StringComparer.Ordinal);
        foreach ((string id, SessionSeat seat) in _sessions)
        {
            if (!seat.Actor.Tell(new MemberObserved(observed.NodeId, parts.GetValueOrDefault(id))))
            {
                ClusterLog.Session(place.Logger, id, "is too busy to hear what a node observed; it is told again");
            }
        }
    }

    private void Forward(string id, ClusterMessage message, ActorRef<Result<ClusterSessionView>> asker)
    {
        if (!_sessions.TryGetValue(id, out SessionSeat? seat))
        {
            asker.Tell(NoSession(id));
        }
        else if (!seat.Actor.Tell(message))
        {
            asker.Tell(new CommandError(CommandError.Unavailable, null, $"session {id} is too busy: try again"));
        }
    }

    private void TellSessions(ClusterMessage message)
    {
        foreach (SessionSeat seat in _sessions.Values)
        {
            seat.Actor.Tell(message);
        }
    }

    private void SendDesiredToAll()
    {
        foreach (Presence presence in _presences.Values)
        {
            SendDesired(presence);
        }
    }

    /// <summary>Always the whole set: no order can be lost, and who comes late starts what should be running.</summary>
    private void SendDesired(Presence presence)
    {
        if (presence.Link is not { } link)
        {
            return;
        }
        Desired set = new() { ControllerIncarnation = _incarnation, Generation = Generation };
        set.Session.AddRange(_sessions.Values.Where(seat => seat.Desired is not null && DesiredSessions.Selects(seat.View.Request.Nodes, presence.Node)).Select(seat => seat.Desired));
        link.Tell(new SendDesired(set));
    }

    private EventStream<SessionEvent> SessionStream(string id) => new(place.Journal, $"session/{id}", ClusterJson.Default.SessionEvent);

    /// <summary>For requests whose answer changes nothing here.</summary>
    private ActorRef<Result<Reply>> Nobody() => Context.Spawn<Result<Reply>>($"nobody-{++_links}", () => new SilentActor());

    private static CommandError NoSession(string id) => new(CommandError.NotFound, null, $"there is no session '{id}' here");

    private sealed class SilentActor : Actor<Result<Reply>>
    {
        protected override ValueTask ReceiveAsync(Result<Reply> message)
        {
            Context.StopSelf();
            return default;
        }
    }
}
