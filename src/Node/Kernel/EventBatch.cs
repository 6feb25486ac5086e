namespace NftCluster.Node.Kernel;

/// <summary>
/// Records copied out of the ring, as they stood there. Filled by the poller, read by the shard of every session, and back
/// to the poller's pool when the last of them releases it.
/// </summary>
internal sealed class EventBatch
{
    private readonly byte[] _buffer;
    private readonly Action<EventBatch> _recycle;
    private int _holders;

    public EventBatch(int capacity, Action<EventBatch> recycle)
    {
        _buffer = GC.AllocateUninitializedArray<byte>(capacity, pinned: true);
        _recycle = recycle;
    }

    public int Length { get; private set; }

    public int Records { get; private set; }

    public int Free => _buffer.Length - Length;

    public ReadOnlySpan<byte> Bytes => _buffer.AsSpan(0, Length);

    public void Append(ReadOnlySpan<byte> records, int count)
    {
        records.CopyTo(_buffer.AsSpan(Length));
        Length += records.Length;
        Records += count;
    }

    /// <summary>Says how many will call <see cref="Release"/>; before the first of them gets the batch.</summary>
    public void HandTo(int holders) => Volatile.Write(ref _holders, holders);

    public void Release()
    {
        if (Interlocked.Decrement(ref _holders) == 0)
        {
            Reset();
            _recycle(this);
        }
    }

    public void Reset() => Length = Records = 0;
}
