using System.Threading.Channels;

namespace NftCluster.Controller.Cluster;

/// <summary>
/// Bounds what all nodes' lanes hold unpacked at once, in bytes before compression; who comes first is served first. Only lanes wait
/// here, never the readers of connections: heartbeats are heard however slow the disk is.
/// </summary>
internal sealed class IngestBudget
{
    private readonly long _most;

    /// <summary>Holds one token: whoever has read it waits for room, the others wait behind.</summary>
    private readonly Channel<bool> _turn = Channel.CreateBounded<bool>(1);
    private readonly Channel<bool> _freed = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private long _used;

    public IngestBudget(long most)
    {
        _most = most;
        _turn.Writer.TryWrite(true);
    }

    public long Used => Interlocked.Read(ref _used);

    /// <summary>More than the whole budget is let in alone: a frame cannot be cut in two.</summary>
    public async ValueTask TakeAsync(long bytes, CancellationToken cancellation)
    {
        await _turn.Reader.ReadAsync(cancellation);
        try
        {
            while (Used > 0 && Used + bytes > _most)
            {
                await _freed.Reader.ReadAsync(cancellation);
            }
            Interlocked.Add(ref _used, bytes);
        }
        finally
        {
            _turn.Writer.TryWrite(true);
        }
    }

    public void Return(long bytes)
    {
        Interlocked.Add(ref _used, -bytes);
        _freed.Writer.TryWrite(true);
    }
}
