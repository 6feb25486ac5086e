namespace NftCluster.Node.Uplink;

/// <summary>How long to wait before the next try: doubling to a bound, and anywhere in the upper half of that, so that a fleet that lost its controller comes back spread out.</summary>
internal sealed class BackOff(Random random, TimeSpan first, TimeSpan most)
{
    private TimeSpan? _next;

    public TimeSpan Next()
    {
        TimeSpan wait = _next ?? first;
        _next = wait * 2 < most ? wait * 2 : most;
        return wait * (0.5 + random.NextDouble() / 2);
    }

    /// <summary>A connection stood: the next loss begins from the shortest wait.</summary>
    public void Reset() => _next = null;
}
