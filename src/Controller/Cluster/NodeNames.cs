using NftCluster.Actors;
using NftCluster.Controller.Sessions;

namespace NftCluster.Controller.Cluster;

/// <summary>What people call the nodes, by their ids.</summary>
internal static class NodeNames
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(15);

    public static async Task<IReadOnlyDictionary<string, string>> AskAsync(ActorRef<ClusterMessage> cluster, CancellationToken cancellation) =>
        (await cluster.AskAsync<IReadOnlyList<NodeView>>(reply => new ListNodes(reply), _patience, cancellation)).ToDictionary(node => node.Id, node => node.Name, StringComparer.Ordinal);
}
