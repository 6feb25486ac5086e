using System.Security.Cryptography;
using Google.Protobuf;
using Microsoft.Extensions.Logging;
using NftCluster.Actors;
using NftCluster.Controller.Sessions;
using NftCluster.Controller.Storage;
using NftCluster.Messages.Link;

namespace NftCluster.Controller.Cluster;

/// <summary>What the root of nodes and sessions stands on.</summary>
internal sealed record ClusterPlace(Journal Journal, CertificateAuthority Authority, SessionCheck Check, ClusterListeners Listeners, LinkOptions Link, string Version, ILogger Logger);

/// <summary>
/// The root of nodes and sessions: who may join and connect, which actor talks to whom, and the set of sessions that each node
/// is to run. Its state is the journal's stream "cluster"; sessions have streams and actors of their own.
/// </summary>
internal sealed partial class ClusterActor(ClusterPlace place) : Actor<ClusterMessage>
{
    private readonly NodeRegistry _registry = new();
    private readonly Dictionary<string, Presence> _presences = new(StringComparer.Ordinal);
    private readonly Dictionary<string, SessionSeat> _sessions = new(StringComparer.Ordinal);
    private readonly EventStream<RegistryEvent> _stream = NodeRegistry.Stream(place.Journal);
    private ByteString _incarnation = ByteString.Empty;
    private long _removedVersions;
    private long _links;

    /// <summary>Of the whole set: every stored event raises it, so it never goes back while the database stands.</summary>
    private ulong Generation => (ulong)(_stream.Version + _removedVersions + _sessions.Values.Sum(seat => seat.Version));

    private DateTimeOffset Now => Context.Time.GetUtcNow();

    protected override async ValueTask PreStartAsync()
    {
        HashSet<string> sessions = new(StringComparer.Ordinal);
        foreach (RegistryEvent happened in await _stream.ReadAsync())
        {
            Apply(happened, sessions);
        }
        if (_incarnation.IsEmpty)
        {
            ClusterFounded founded = new(Now, Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16)));
            await _stream.AppendAsync(founded, founded.At);
            Apply(founded);
        }
        foreach (KnownNode node in _registry.Nodes)
        {
            _presences[node.Id] = new Presence(OfflineView(node));
        }
        foreach (string id in sessions)
        {
            EventStream<SessionEvent> stream = SessionStream(id);
            ClusterSession session = new();
            foreach (SessionEvent happened in await stream.ReadAsync())
            {
                session.Apply(happened);
            }
            if (stream.Version > 0)
            {
                Seat(session, stream);
            }
        }
    }

    protected override async ValueTask ReceiveAsync(ClusterMessage message)
    {
        switch (message)
        {
            case JoinNode join:
                join.ReplyTo.Tell(await JoinAsync(join.Request));
                break;
            case RenewNode renew:
                renew.ReplyTo.Tell(await RenewAsync(renew));
                break;
            case ConnectNode connect:
                connect.ReplyTo.Tell(await ConnectAsync(connect));
                break;
            case NodeIsNow now when IsCurrent(now.Node.Id, now.Link):
                See(now.Node);
                break;
            case LinkGone gone when IsCurrent(gone.NodeId, gone.Link):
                Lose(gone.NodeId);
                break;
            case NodeObserved observed:
                Observe(observed);
                break;
            case NodeReported reported:
                _sessions.GetValueOrDefault(reported.Report.SessionId)?.Actor.Tell(reported);
                break;
            case RevokeNode revoke:
                revoke.ReplyTo.Tell(await RevokeAsync(revoke));
                break;
            case CreateJoinToken create:
                create.ReplyTo.Tell(await CreateTokenAsync(create));
                break;
            case ListNodes { ReplyTo: var asker }:
                asker.Tell([.. _presences.Values.Select(presence => presence.Node).OrderBy(node => node.Name, StringComparer.Ordinal)]);
                break;
            case GetNode { Id: var id, ReplyTo: var asker }:
                asker.Tell(Find(id) is { } found ? found.Node : NoNode(id));
                break;
            case AskNode ask:
                Ask(ask);
                break;
            default:
                await ReceiveSessionAsync(message);
                break;
        }
    }

    private void Apply(RegistryEvent happened, HashSet<string>? sessions = null)
    {
        _registry.Apply(happened);
        switch (happened)
        {
            case ClusterFounded founded:
                _incarnation = ByteString.CopyFrom(Convert.FromHexString(founded.Incarnation));
                break;
            case SessionAdded added:
                sessions?.Add(added.SessionId);
                break;
            case SessionRemoved removed:
                sessions?.Remove(removed.SessionId);
                _removedVersions += removed.Version;
                break;
        }
    }

    /// <summary>Null: it is durable, and has happened. Else nothing has.</summary>
    private async ValueTask<CommandError?> StoreAsync(RegistryEvent happened)
    {
        try
        {
            await _stream.AppendAsync(happened, happened.At);
        }
        catch (StorageException failure)
        {
            return NotStored(failure);
        }
        Apply(happened);
        return null;
    }

    private static CommandError NotStored(StorageException failure) => new(CommandError.Unavailable, null, $"nothing was changed: {failure.Message}");

    private Presence? Find(string idOrName) => _registry.Find(idOrName) is { } known ? _presences.GetValueOrDefault(known.Id) : null;

    private static CommandError NoNode(string id) => new(CommandError.NotFound, null, $"no node is called '{id}' here");

    private static NodeView OfflineView(KnownNode node) => new()
    {
        Id = node.Id,
        Name = node.Name,
        Labels = node.Labels,
        State = node.IsRevoked ? NodeView.Revoked : NodeView.Offline,
        JoinedAt = node.JoinedAt,
        CertificateEnds = node.CertificateEnds,
    };

    /// <summary>A node as it was last seen, and its connection if there is one.</summary>
    private sealed class Presence(NodeView node)
    {
        public NodeView Node { get; set; } = node;

        public ActorRef<NodeLinkMessage>? Link { get; set; }
    }

    private sealed class SessionSeat(ActorRef<ClusterMessage> actor, ClusterSessionView view, DesiredSession? desired, long version)
    {
        public ActorRef<ClusterMessage> Actor { get; } = actor;

        public ClusterSessionView View { get; set; } = view;

        public DesiredSession? Desired { get; set; } = desired;

        public long Version { get; set; } = version;
    }
}
