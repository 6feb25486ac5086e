namespace NftCluster.Controller.Stitching;

/// <summary>
/// Joins within one group: hops that saw packets of one wire digest. Such a group is one packet, unless a host saw the digest twice at
/// the same TTL: then several packets look alike, and every join of theirs is ambiguous.
/// </summary>
internal sealed class WireJoiner(JoinRules rules)
{
    /// <summary>The hops are all that have this digest on a side; the joins are told as they are found, in the order of the hops.</summary>
    public void Join(IReadOnlyList<Hop> hops, ulong digest, Action<Join> found)
    {
        foreach (Hop from in hops)
        {
            if (from.Out?.Wire != digest)
            {
                continue;
            }
            List<Hop> next = Nearest(hops.Where(to => to.In?.Wire == digest && rules.MayFollow(from, to)), JoinRules.Distance);
            bool isTree = next.Count > 1 && from.Out.Endpoints.IsToMany && next.DistinctBy(to => (to.Node, to.In!.Device)).Count() == next.Count;
            foreach (Hop to in next)
            {
                List<Hop> before = Nearest(hops.Where(other => other.Out?.Wire == digest && rules.MayFollow(other, to)), JoinRules.DistanceBack);
                if (!before.Contains(from))
                {
                    continue; // it comes from a nearer one
                }
                int alike = Math.Max(isTree ? 1 : next.Count, before.Count);
                alike = Math.Max(alike, Math.Max(Twins(hops, from, digest), Twins(hops, to, digest)));
                found(alike == 1
                    ? new Join(from, to, JoinKind.Exact, 1, isTree ? "wire digest, to many" : "wire digest")
                    : new Join(from, to, JoinKind.Ambiguous, alike, $"{alike} packets of this wire digest within the window"));
            }
        }
    }

    /// <summary>How many this host saw that look like this one at the same place of the way, itself included.</summary>
    private int Twins(IReadOnlyList<Hop> hops, Hop one, ulong digest) =>
        hops.Count(other => other.Node == one.Node && IsSamePlace(other, one, digest) && rules.AreNear(one, other));

    private static bool IsSamePlace(Hop a, Hop b, ulong digest) =>
        (a.In?.Wire == digest && b.In?.Wire == digest && a.In.Ttl == b.In.Ttl && a.In.Device == b.In.Device) || (a.Out?.Wire == digest && b.Out?.Wire == digest && a.Out.Ttl == b.Out.Ttl && a.Out.Device == b.Out.Device);

    private static List<Hop> Nearest(IEnumerable<Hop> hops, Func<Hop, int> distance)
    {
        List<Hop> nearest = [];
        int least = int.MaxValue;
        foreach (Hop hop in hops)
        {
            int far = distance(hop);
            if (far < least)
            {
                (least, nearest) = (far, []);
            }
            if (far == least)
            {
                nearest.Add(hop);
            }
        }
        return nearest;
    }
}
