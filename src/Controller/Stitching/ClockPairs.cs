namespace NftCluster.Controller.Stitching;

/// <summary>One clock minus another, ns, and how far that may be off; null = they contradict what is known of them: one was set meanwhile.</summary>
internal readonly record struct ClockDifference(long OffsetNs, long? BoundNs);

/// <summary>
/// How far hosts' clocks are apart, by the packets between them: none comes in before it was first seen where it came from. Each way bounds the difference from one side; with both, and with
/// what heartbeats said, it is known much better than by heartbeats alone. Told for a short time, so that drift stays small; it is added to the bound. Pure.
/// </summary>
internal sealed class ClockPairs
{
    /// <summary>Two clocks of 200 ppm each.</summary>
    private const double MostDrift = 400e-6;

    /// <summary>The shortest time with packets both ways is the best.</summary>
    private static readonly long[] _times = [100_000_000, 1_000_000_000];

    private readonly Dictionary<(long Time, long Slot), Dictionary<(string From, string To), long>> _most = [];
    private readonly Dictionary<(long Time, long Slot, string From, string To), long?> _paths = [];

    public void Learn(IEnumerable<JourneyHops> journeys)
    {
        foreach (Join join in journeys.SelectMany(journey => journey.Joins))
        {
            if (join.Kind is JoinKind.Exact or JoinKind.Nat && join.From.Node != join.To.Node)
            {
                Learn(join.From, join.To);
            }
        }
    }

    /// <summary>The second hop's clock minus the first one's at the time of the first.</summary>
    public ClockDifference Between(Hop first, Hop second)
    {
        long known = second.ClockOffsetNs - first.ClockOffsetNs;
        long? bound = first.ClockBoundNs + second.ClockBoundNs;
        if (first.Node == second.Node)
        {
            return new ClockDifference(0, 0);
        }
        foreach (long time in _times)
        {
            (long Time, long Slot) slot = (time, first.InNs / time);
            if (Shortest(slot, first.Node, second.Node) is not { } most || Shortest(slot, second.Node, first.Node) is not { } least)
            {
                continue;
            }
            long drift = (long)(MostDrift * ((3 * time) + (bound ?? 0)));
            (long from, long to) = (-least - drift, most + drift);
            (from, to) = bound is { } given ? (Math.Max(from, known - given), Math.Min(to, known + given)) : (from, to);
            return from > to ? new ClockDifference(known, null) : new ClockDifference(from + ((to - from) / 2), (to - from + 1) / 2);
        }
        return new ClockDifference(known, bound);
    }

    private void Learn(Hop from, Hop to)
    {
        long most = to.FirstNs - from.FirstNs;
        foreach (long time in _times)
        {
            // Also beside its own time: what lies on both sides of a border is near all the same.
            for (long slot = (from.InNs / time) - 1; slot <= (from.InNs / time) + 1; slot++)
            {
                if (!_most.TryGetValue((time, slot), out Dictionary<(string From, string To), long>? pairs))
                {
                    _most[(time, slot)] = pairs = [];
                }
                (string, string) pair = (from.Node, to.Node);
                pairs[pair] = pairs.TryGetValue(pair, out long before) ? Math.Min(before, most) : most;
            }
        }
    }

    /// <summary>The least bound over all ways from one host to the other (Bellman–Ford over the few hosts of a slot); null where there is none.</summary>
    private long? Shortest((long Time, long Slot) slot, string from, string to)
    {
        if (_paths.TryGetValue((slot.Time, slot.Slot, from, to), out long? known))
        {
            return known;
        }
        Dictionary<string, long> reached = new(StringComparer.Ordinal) { [from] = 0 };
        if (_most.TryGetValue(slot, out Dictionary<(string From, string To), long>? pairs))
        {
            int hosts = pairs.Keys.SelectMany(pair => new[] { pair.From, pair.To }).Distinct(StringComparer.Ordinal).Count();
            for (int round = 1; round < hosts; round++)
            {
                foreach (((string begin, string end), long most) in pairs)
                {
                    if (reached.TryGetValue(begin, out long so) && (!reached.TryGetValue(end, out long best) || so + most < best))
                    {
                        reached[end] = so + most;
                    }
                }
            }
        }
        return _paths[(slot.Time, slot.Slot, from, to)] = reached.TryGetValue(to, out long found) ? found : null;
    }
}
