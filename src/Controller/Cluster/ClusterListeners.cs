using NftCluster.Controller.Sessions;
using NftCluster.Messages.Link;

namespace NftCluster.Controller.Cluster;

/// <summary>Who hears of what happens: the live hub. Called on the teller's thread: must be quick, must not throw.</summary>
internal sealed record ClusterListeners
{
    public Action<ClusterSessionView>? Session { get; init; }

    public Action<NodeView>? Node { get; init; }

    /// <summary>Node's id and name, and what is durable now.</summary>
    public Action<string, string, Payload>? Stored { get; init; }
}
