using System.Collections.Concurrent;

namespace NftCluster.Node.Pipeline;

/// <summary>Closed traces come back here, from whichever actor held them last.</summary>
internal sealed class TracePool
{
    private readonly Stack<PacketTrace> _local = new();
    private readonly ConcurrentQueue<PacketTrace[]> _returned = new();

    /// <summary>Only the tracker's actor calls this.</summary>
    public PacketTrace Rent()
    {
        if (_local.Count == 0 && _returned.TryDequeue(out PacketTrace[]? batch))
        {
            foreach (PacketTrace trace in batch)
            {
                _local.Push(trace);
            }
        }
        return _local.TryPop(out PacketTrace? recycled) ? recycled : new PacketTrace();
    }

    /// <summary>Only the tracker's actor calls this: no hand-over needed.</summary>
    public void ReturnLocal(PacketTrace trace) => _local.Push(trace);

    /// <summary>From any actor; the array is the pool's afterwards.</summary>
    public void Return(PacketTrace[] traces) => _returned.Enqueue(traces);
}
