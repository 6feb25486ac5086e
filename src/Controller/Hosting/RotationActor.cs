using Microsoft.Extensions.Logging;
using NftCluster.Actors;
using NftCluster.Controller.Cluster;
using NftCluster.Controller.Export;
using NftCluster.Controller.Sessions;
using NftCluster.Controller.Storage;

namespace NftCluster.Controller.Hosting;

internal sealed record RotationTick;

/// <summary>How often running sessions are written out, and how much of that is kept in all; zero = not at all, no limit.</summary>
internal sealed record RotationOptions(TimeSpan Every, long KeptBytes);

/// <summary>Writes what running sessions have stored since the last time into files of their own, so that retention may forget it: a session can run for weeks.</summary>
internal sealed class RotationActor(ActorRef<ClusterMessage> cluster, ClusterExport exports, RotationOptions options, ILogger logger) : Actor<RotationTick>
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(30);

    protected override ValueTask PreStartAsync()
    {
        Timers.StartPeriodic(nameof(RotationTick), new RotationTick(), options.Every);
        return default;
    }

    protected override async ValueTask ReceiveAsync(RotationTick message)
    {
        try
        {
            IReadOnlyList<NodeView> nodes = await cluster.AskAsync<IReadOnlyList<NodeView>>(reply => new ListNodes(reply), _patience);
            foreach (ClusterSessionView session in await cluster.AskAsync<IReadOnlyList<ClusterSessionView>>(reply => new ListSessions(reply), _patience))
            {
                await exports.RotateAsync(session, nodes, CancellationToken.None);
                exports.TrimParts(options.KeptBytes);
            }
        }
        catch (Exception later) when (later is TimeoutException or InvalidOperationException or StorageException)
        {
            // At the next tick, with what has come since: a part begins where the last one that was written ended.
            ClusterLog.Session(logger, "rotation", $"exports wait for the next time: {later.Message}");
        }
    }
}
