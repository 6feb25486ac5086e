namespace NftCluster.Controller.Stitching;

/// <summary>
/// The hops of one packet in the order of its way, and what joins them; ambiguous joins lead to other journeys, and are in both. Where more
/// than <see cref="JourneyBuilder.MostAlike"/> packets look alike, nothing is joined by that: <c>Alike</c> says how many (0 = not so).
/// </summary>
internal sealed record JourneyHops(IReadOnlyList<Hop> Hops, IReadOnlyList<Join> Joins, IReadOnlyList<Join> Ambiguous, int Alike);

/// <summary>Puts hops that are joined together, and each journey into the order of its way.</summary>
internal static class JourneySorter
{
    public static IReadOnlyList<JourneyHops> Sort(IReadOnlyCollection<Hop> hops, IReadOnlyList<Join> joins, IReadOnlyDictionary<Hop, int> crowds)
    {
        Dictionary<Hop, Hop> parents = new(hops.Count, ReferenceEqualityComparer.Instance);
        foreach (Join join in joins)
        {
            if (join.Kind != JoinKind.Ambiguous)
            {
                Unite(parents, join.From, join.To);
            }
        }
        Dictionary<Hop, (List<Hop> Hops, List<Join> Joins, List<Join> Ambiguous)> parts = new(hops.Count, ReferenceEqualityComparer.Instance);
        foreach (Hop hop in hops)
        {
            PartOf(hop).Hops.Add(hop);
        }
        foreach (Join join in joins)
        {
            if (join.Kind != JoinKind.Ambiguous)
            {
                PartOf(join.From).Joins.Add(join);
                continue;
            }
            PartOf(join.From).Ambiguous.Add(join);
            if (!ReferenceEquals(Root(parents, join.From), Root(parents, join.To)))
            {
                PartOf(join.To).Ambiguous.Add(join);
            }
        }
        List<JourneyHops> journeys = new(parts.Count);
        foreach ((List<Hop> Hops, List<Join> Joins, List<Join> Ambiguous) part in parts.Values)
        {
            part.Hops.Sort(InOrder);
            part.Joins.Sort(InOrder);
            FollowJoins(part.Hops, part.Joins);
            part.Ambiguous.Sort(InOrder);
            journeys.Add(new JourneyHops(part.Hops, part.Joins, part.Ambiguous, crowds.Count == 0 ? 0 : part.Hops.Max(hop => crowds.GetValueOrDefault(hop))));
        }
        journeys.Sort((a, b) => a.Hops[0].InNs != b.Hops[0].InNs ? a.Hops[0].InNs.CompareTo(b.Hops[0].InNs) : Compare(a.Hops[0], b.Hops[0]));
        return journeys;

        (List<Hop> Hops, List<Join> Joins, List<Join> Ambiguous) PartOf(Hop hop)
        {
            Hop root = Root(parents, hop);
            return parts.TryGetValue(root, out (List<Hop> Hops, List<Join> Joins, List<Join> Ambiguous) part) ? part : parts[root] = ([], [], []);
        }
    }

    /// <summary>TTL first; at the same one, a host that keeps the TTL is before one that takes from it; the clock last, and the name where that is equal.</summary>
    public static int InOrder(Hop a, Hop b)
    {
        int ttl = Ttl(b).CompareTo(Ttl(a));
        if (ttl != 0)
        {
            return ttl;
        }
        int left = (b.Out?.Ttl ?? -1).CompareTo(a.Out?.Ttl ?? -1);
        if (left != 0)
        {
            return left;
        }
        int time = a.InNs.CompareTo(b.InNs);
        return time != 0 ? time : Compare(a, b);
    }

    /// <summary>What comes after what, joins tell; the order of hops where they leave it open. A tunnel's TTL has nothing to do with that of what is inside.</summary>
    private static void FollowJoins(List<Hop> hops, List<Join> joins)
    {
        if (joins.TrueForAll(join => IndexOf(hops, join.From) < IndexOf(hops, join.To)))
        {
            return;
        }
        List<Hop> waiting = [.. hops];
        hops.Clear();
        while (waiting.Count > 0)
        {
            // Joins that go round in a circle: as they stand.
            int next = Math.Max(0, waiting.FindIndex(hop => !joins.Exists(join => ReferenceEquals(join.To, hop) && IndexOf(waiting, join.From) >= 0)));
            hops.Add(waiting[next]);
            waiting.RemoveAt(next);
        }
    }

    private static int IndexOf(List<Hop> hops, Hop one) => hops.FindIndex(hop => ReferenceEquals(hop, one));

    private static int InOrder(Join a, Join b) => InOrder(a.From, b.From) is var order && order != 0 ? order : InOrder(a.To, b.To);

    private static int Compare(Hop a, Hop b)
    {
        int order = string.CompareOrdinal(a.Id.NodeId, b.Id.NodeId);
        order = order != 0 ? order : a.Id.Epoch.CompareTo(b.Id.Epoch);
        order = order != 0 ? order : a.Id.Sequence.CompareTo(b.Id.Sequence);
        return order != 0 ? order : a.Id.Index.CompareTo(b.Id.Index);
    }

    /// <summary>A sender has no way in: it stands one before its way out.</summary>
    private static int Ttl(Hop hop) => hop.In?.Ttl ?? (hop.Out?.Ttl + 1) ?? 0;

    private static Hop Root(Dictionary<Hop, Hop> parents, Hop hop)
    {
        while (parents.TryGetValue(hop, out Hop? parent))
        {
            hop = parent;
        }
        return hop;
    }

    private static void Unite(Dictionary<Hop, Hop> parents, Hop a, Hop b)
    {
        (Hop one, Hop other) = (Root(parents, a), Root(parents, b));
        if (!ReferenceEquals(one, other))
        {
            // The smaller name leads, so that the outcome does not depend on the order of the joins.
            bool isFirst = Compare(one, other) < 0;
            parents[isFirst ? other : one] = isFirst ? one : other;
        }
    }
}
