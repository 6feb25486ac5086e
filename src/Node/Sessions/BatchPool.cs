using System.Collections.Concurrent;
using NftCluster.Node.Kernel;

namespace NftCluster.Node.Sessions;

/// <summary>The batches of one node: as many as may be under way at once, made once.</summary>
internal sealed class BatchPool : IDisposable
{
    public const int Batches = 32;
    private const int BatchBytes = 512 * 1024;

    private readonly BlockingCollection<EventBatch> _free = new(Batches);

    public BatchPool()
    {
        for (int i = 0; i < Batches; i++)
        {
            _free.Add(new EventBatch(BatchBytes, Return));
        }
    }

    /// <summary>Waits at most so long; null = all are in use.</summary>
    public EventBatch? Take(int waitMs) => _free.TryTake(out EventBatch? batch, waitMs) ? batch : null;

    public void Return(EventBatch batch) => _free.TryAdd(batch);

    public void Dispose() => _free.Dispose();
}
