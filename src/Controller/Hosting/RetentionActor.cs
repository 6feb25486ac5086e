using NftCluster.Actors;
using NftCluster.Controller.Storage;

namespace NftCluster.Controller.Hosting;

internal sealed record RetentionTick;

/// <summary>Asks storage again and again to remove what is too old or too much.</summary>
internal sealed class RetentionActor(ActorRef<StorageMessage> storage, RetentionLimits limits) : Actor<RetentionTick>
{
    private static readonly TimeSpan _period = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan _patience = TimeSpan.FromMinutes(5);

    protected override ValueTask PreStartAsync()
    {
        Timers.StartPeriodic(nameof(RetentionTick), new RetentionTick(), _period);
        return default;
    }

    protected override async ValueTask ReceiveAsync(RetentionTick message)
    {
        try
        {
            await storage.AskAsync<RetentionDone>(reply => new ApplyRetention(limits, reply), _patience);
        }
        catch (Exception busy) when (busy is TimeoutException or InvalidOperationException)
        {
            // Storage has more to do than to remove: at the next tick.
        }
    }
}
