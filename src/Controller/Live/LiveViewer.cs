using System.Globalization;
using System.Threading.Channels;

namespace NftCluster.Controller.Live;

/// <summary>
/// One viewer's messages, already in UTF-8. One who reads slowly loses the oldest, and is told how many before the next that it gets.
/// </summary>
internal sealed class LiveViewer
{
    public const int MostWaiting = 1_024;

    private readonly Channel<ReadOnlyMemory<byte>> _waiting;
    private long _lost;
    private long _told;

    public LiveViewer() => _waiting = Channel.CreateBounded<ReadOnlyMemory<byte>>(
        new BoundedChannelOptions(MostWaiting) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true }, _ => Interlocked.Increment(ref _lost));

    /// <summary>Messages that it was too slow for.</summary>
    public long Lost => Interlocked.Read(ref _lost);

    /// <summary>Never waits.</summary>
    public void Offer(ReadOnlyMemory<byte> message) => _waiting.Writer.TryWrite(message);

    public async ValueTask<ReadOnlyMemory<byte>> TakeAsync(CancellationToken cancellation)
    {
        await _waiting.Reader.WaitToReadAsync(cancellation);
        long lost = Lost;
        if (lost > _told)
        {
            long since = lost - _told;
            _told = lost;
            return System.Text.Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{{\"type\":\"lost\",\"messages\":{since},\"total\":{lost}}}"));
        }
        return await _waiting.Reader.ReadAsync(cancellation);
    }
}
