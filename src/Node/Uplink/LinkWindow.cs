namespace NftCluster.Node.Uplink;

/// <summary>What is under way on one connection, and how much more may be: the controller's credit in bytes.</summary>
internal sealed class LinkWindow
{
    private readonly List<(ulong Epoch, ulong Sequence, long Bytes)> _underWay = [];
    private long _credit;
    private long _bytes;

    /// <summary>Of the last frame that was sent.</summary>
    public long LastId { get; private set; }

    public int UnderWay => _underWay.Count;

    /// <summary>Bytes that may still be sent.</summary>
    public long Room => Math.Max(0, _credit - _bytes);

    /// <summary>One frame larger than the whole window goes alone: else it could never go.</summary>
    public bool Fits(long bytes) => bytes <= Room || (_underWay.Count == 0 && _credit > 0);

    public void Begin(ulong credit)
    {
        _underWay.Clear();
        _bytes = 0;
        LastId = 0;
        Grant(credit);
    }

    public void Sent(long id, ulong epoch, ulong sequence, long bytes)
    {
        _underWay.Add((epoch, sequence, bytes));
        _bytes += bytes;
        LastId = id;
    }

    /// <summary>Cumulative within its epoch.</summary>
    public void Acknowledged(ulong epoch, ulong sequence, ulong credit)
    {
        _underWay.RemoveAll(frame =>
        {
            bool done = frame.Epoch == epoch && frame.Sequence <= sequence;
            _bytes -= done ? frame.Bytes : 0;
            return done;
        });
        Grant(credit);
    }

    private void Grant(ulong credit) => _credit = (long)Math.Min(credit, long.MaxValue);
}
