using NftCluster.Actors;
using NftCluster.Controller.Sessions;
using NftCluster.Controller.Storage;
using NftCluster.Messages.Link;

namespace NftCluster.Controller.Cluster;

/// <summary>POST /join, its secret and request checked for form only. Answered once per (token, key), then always the same.</summary>
internal sealed record JoinNode(JoinRequest Request, ActorRef<Result<JoinAnswer>> ReplyTo) : ClusterMessage;

/// <summary>POST /renew of a node that showed its certificate.</summary>
internal sealed record RenewNode(string NodeId, string CsrPem, ActorRef<Result<JoinAnswer>> ReplyTo) : ClusterMessage;

/// <summary>A node's connection has said Hello: which actor talks to it, or why nobody does.</summary>
internal sealed record ConnectNode(NodeIdentity Identity, Hello Hello, NodeCommitted Committed, NodeWire Wire, ActorRef<NodeAdmitted> ReplyTo) : ClusterMessage;

internal sealed record NodeAdmitted(ActorRef<NodeLinkMessage>? Link, Refusal? Refusal);

/// <summary>A node's actor tells what changed at its node.</summary>
internal sealed record NodeIsNow(NodeView Node, ActorRef<NodeLinkMessage> Link) : ClusterMessage;

internal sealed record LinkGone(string NodeId, ActorRef<NodeLinkMessage> Link) : ClusterMessage;

internal sealed record NodeObserved(string NodeId, Observed Observed) : ClusterMessage;

/// <summary>A node's numbers for one session, committed.</summary>
internal sealed record NodeReported(string NodeId, SessionReport Report) : ClusterMessage;
