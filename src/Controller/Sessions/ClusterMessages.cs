using NftCluster.Actors;
using NftCluster.Controller.Cluster;
using NftCluster.Messages.Link;

namespace NftCluster.Controller.Sessions;

/// <summary>What <c>ClusterActor</c> receives: users' orders below, nodes' facts in <c>Cluster/NodeMessages.cs</c>.</summary>
internal abstract record ClusterMessage;

internal sealed record CreateSession(SessionRequest Request, string Owner, ActorRef<Result<ClusterSessionView>> ReplyTo) : ClusterMessage;

/// <summary>Applied on all nodes at once, without an end of the session.</summary>
internal sealed record ChangeSession(string Id, SessionPatch Patch, ActorRef<Result<ClusterSessionView>> ReplyTo) : ClusterMessage;

internal sealed record PauseSession(string Id, ActorRef<Result<ClusterSessionView>> ReplyTo) : ClusterMessage;

internal sealed record ResumeSession(string Id, ActorRef<Result<ClusterSessionView>> ReplyTo) : ClusterMessage;

/// <summary>Answered at once with STOPPING; STOPPED comes when all connected nodes have handed over what they had.</summary>
internal sealed record StopSession(string Id, string By, ActorRef<Result<ClusterSessionView>> ReplyTo) : ClusterMessage;

/// <summary>Forgets a session that is over; its traces stay for retention (or <c>StorageActor</c>) to remove.</summary>
internal sealed record DeleteSession(string Id, ActorRef<Result<ClusterSessionView>> ReplyTo) : ClusterMessage;

internal sealed record GetSession(string Id, ActorRef<Result<ClusterSessionView>> ReplyTo) : ClusterMessage;

/// <summary>Newest first.</summary>
internal sealed record ListSessions(ActorRef<IReadOnlyList<ClusterSessionView>> ReplyTo) : ClusterMessage;

/// <summary>By name.</summary>
internal sealed record ListNodes(ActorRef<IReadOnlyList<NodeView>> ReplyTo) : ClusterMessage;

/// <summary>By id or name, as everywhere a node is asked for.</summary>
internal sealed record GetNode(string Id, ActorRef<Result<NodeView>> ReplyTo) : ClusterMessage;

/// <summary>Its certificates are refused from now on, its connection ends.</summary>
internal sealed record RevokeNode(string Id, string By, ActorRef<Result<NodeView>> ReplyTo) : ClusterMessage;

internal sealed record CreateJoinToken(TimeSpan Ttl, int Uses, string By, ActorRef<Result<JoinTokenView>> ReplyTo) : ClusterMessage;

/// <summary>Probes, ruleset, rule changes: forwarded to the node while it is connected. The request's id is set on the way.</summary>
internal sealed record AskNode(string Id, Request Request, ActorRef<Result<Reply>> ReplyTo) : ClusterMessage;
