using NftCluster.Controller.Cluster;
using NftCluster.Controller.Sessions;
using NftCluster.Messages.Link;

namespace NftCluster.Controller.Live;

/// <summary>What the live hub is told.</summary>
internal abstract record LiveMessage;

/// <summary>From now on it is told of this session; null = of nodes and of every session's state.</summary>
internal sealed record Watch(LiveViewer Viewer, string? SessionId) : LiveMessage;

/// <summary>Of everything.</summary>
internal sealed record StopWatching(LiveViewer Viewer) : LiveMessage;

internal sealed record SessionTold(ClusterSessionView Session) : LiveMessage;

internal sealed record NodeTold(NodeView Node) : LiveMessage;

/// <summary>Durable now.</summary>
internal sealed record PayloadTold(string NodeId, string NodeName, Payload Payload) : LiveMessage;
