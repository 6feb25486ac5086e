using NftCluster.Controller.Cluster;
using NftCluster.Messages.Link;

namespace NftCluster.Controller.Sessions;

/// <summary>A session's actor tells what it is now, and what its nodes are to do (null: nothing any more).</summary>
internal sealed record SessionIsNow(ClusterSessionView View, DesiredSession? Desired, long Version) : ClusterMessage;

internal sealed record MemberSeen(NodeView Node) : ClusterMessage;

/// <summary>Null: the node observed a set in which the session is not.</summary>
internal sealed record MemberObserved(string NodeId, ObservedSession? Session) : ClusterMessage;

internal sealed record DurationOver : ClusterMessage;

internal sealed record StopGraceOver : ClusterMessage;
