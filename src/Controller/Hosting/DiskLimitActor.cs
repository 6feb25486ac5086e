using NftCluster.Actors;
using NftCluster.Controller.Sessions;
using NftCluster.Controller.Storage;

namespace NftCluster.Controller.Hosting;

internal sealed record DiskLimitTick;

/// <summary>Stops sessions whose stored traces take more of the disk than their limit allows. Between two looks a session may go over it.</summary>
internal sealed class DiskLimitActor(ActorRef<ClusterMessage> cluster, TraceQueries queries) : Actor<DiskLimitTick>
{
    public static readonly TimeSpan Period = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(15);

    protected override ValueTask PreStartAsync()
    {
        Timers.StartPeriodic(nameof(DiskLimitTick), new DiskLimitTick(), Period);
        return default;
    }

    protected override async ValueTask ReceiveAsync(DiskLimitTick message)
    {
        try
        {
            foreach (ClusterSessionView session in await cluster.AskAsync<IReadOnlyList<ClusterSessionView>>(reply => new ListSessions(reply), _patience))
            {
                if (session is { State: ClusterSession.Starting or ClusterSession.Running, Request.Limits.DiskBytes: > 0 and var most }
                    && await queries.StoredBytesAsync(session.Id, CancellationToken.None) is var bytes && bytes >= most)
                {
                    await cluster.AskAsync<Result<ClusterSessionView>>(reply => new StopSession(session.Id, $"its limit of {most} bytes on the controller's disk ({bytes} are taken)", reply), _patience);
                }
            }
        }
        catch (Exception later) when (later is TimeoutException or InvalidOperationException or StorageException)
        {
            // The controller has more to do, or ends: at the next tick.
        }
    }
}
