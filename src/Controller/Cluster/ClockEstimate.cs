namespace NftCluster.Controller.Cluster;

/// <summary>
/// A node's clock minus ours, and how far that may be off. Each heartbeat and its echo give one sample, wrong by at most half
/// of what both ways took; a sample grows old at the rate at which two bad clocks part.
/// </summary>
internal sealed class ClockEstimate
{
    private const int Samples = 16;

    /// <summary>A bad clock is 200 ppm off, ours within 50.</summary>
    private const long DriftPerMillion = 250;

    private readonly Queue<Sample> _samples = new();

    public long? OffsetNs { get; private set; }

    public long? BoundNs { get; private set; }

    /// <summary>By how much a node's clock and ours may have parted after this time.</summary>
    public static long DriftNs(long afterNs) => (long)((Int128)Math.Max(0, afterNs) * DriftPerMillion / 1_000_000);

    /// <param name="heartbeatSentNs">Node's clock.</param>
    /// <param name="heartbeatReceivedNs">Ours.</param>
    /// <param name="echoSentNs">Ours.</param>
    /// <param name="echoReceivedNs">Node's clock.</param>
    public void Add(long heartbeatSentNs, long heartbeatReceivedNs, long echoSentNs, long echoReceivedNs)
    {
        // Differences in 128 bits: the node may send any number, and none must overflow into a plausible one.
        Int128 there = (Int128)heartbeatSentNs - heartbeatReceivedNs;
        Int128 back = (Int128)echoReceivedNs - echoSentNs;
        Int128 offset = (there + back) / 2;
        Int128 bound = (back - there) / 2;
        if (bound < 0 || bound > long.MaxValue || offset > long.MaxValue || offset < long.MinValue)
        {
            return; // a clock was set between the two, or the node makes them up
        }
        // A clock that was stepped makes every older sample a lie: an interval that does not overlap says so.
        Sample sample = new((long)offset, (long)bound, heartbeatReceivedNs);
        while (_samples.TryPeek(out Sample oldest) && (_samples.Count >= Samples || !Overlap(oldest, sample)))
        {
            _samples.Dequeue();
        }
        _samples.Enqueue(sample);
        Sample best = _samples.MinBy(one => BoundAt(one, heartbeatReceivedNs));
        (OffsetNs, BoundNs) = (best.OffsetNs, BoundAt(best, heartbeatReceivedNs));
    }

    private static long BoundAt(Sample sample, long nowNs) => sample.BoundNs + DriftNs(nowNs - sample.AtNs);

    private static bool Overlap(Sample old, Sample now) => Math.Abs((decimal)old.OffsetNs - now.OffsetNs) <= (decimal)BoundAt(old, now.AtNs) + now.BoundNs;

    private readonly record struct Sample(long OffsetNs, long BoundNs, long AtNs);
}
