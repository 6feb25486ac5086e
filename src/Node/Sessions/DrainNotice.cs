namespace NftCluster.Node.Sessions;

/// <summary>
/// "The ring was empty at this time": one object for all shards, told again only when each of them is done with it. A shard
/// that stands still (its code is being compiled, a pause of the collector) would else find its mailbox full of notices,
/// and no room for a batch.
/// </summary>
internal sealed class DrainNotice
{
    private int _holders;

    /// <summary>CLOCK_MONOTONIC: no older event will come.</summary>
    public ulong NowNs { get; private set; }

    public bool IsHome => Volatile.Read(ref _holders) == 0;

    /// <summary>Only while it is home; each of the holders calls <see cref="Release"/>.</summary>
    public DrainNotice HandTo(int holders, ulong nowNs)
    {
        NowNs = nowNs;
        Volatile.Write(ref _holders, holders);
        return this;
    }

    public void Release() => Interlocked.Decrement(ref _holders);
}
