namespace NftCluster.Controller.Stitching;

/// <summary>
/// What a host puts into a tunnel is two traces where the packet around begins later than the inner one was closed (WireGuard encrypts on another processor): the same skb, which left by the tunnel's
/// device and began anew with as many bytes around it as the tunnel adds. Only within one host: elsewhere an address says nothing.
/// </summary>
internal static class TunnelJoiner
{
    /// <summary>Longer in a queue than any that was seen.</summary>
    private const long MostWaitNs = 2_000_000_000;

    public static void Join(IReadOnlyCollection<Hop> hops, Func<Hop, bool> isOutOpen, Func<Hop, bool> isInOpen, Action<Join> found)
    {
        Hop[] outers = [.. hops.Where(hop => hop is { Skb: not 0, In: null, Out: { } left } && IsTunnel(left) && isInOpen(hop))];
        if (outers.Length == 0)
        {
            return;
        }
        HashSet<(string, ulong)> wanted = [.. outers.Select(outer => (outer.Node, outer.Skb))];
        ILookup<(string, ulong), Hop> visits = hops.Where(hop => wanted.Contains((hop.Node, hop.Skb))).ToLookup(hop => (hop.Node, hop.Skb));
        foreach (Hop outer in outers)
        {
            // The last that the address was before: whatever it was, an earlier one is not it.
            Hop? before = visits[(outer.Node, outer.Skb)].Where(visit => visit.FirstNs < outer.FirstNs).MaxBy(visit => visit.FirstNs);
            if (before is { Out: { } inner } && isOutOpen(before) && !IsTunnel(inner) && outer.FirstNs - before.LastNs <= MostWaitNs && Fits(inner, outer.Out!))
            {
                found(new Join(before, outer, JoinKind.Exact, 1, "the same skb, put into a tunnel"));
            }
        }
    }

    private static bool IsTunnel(HopSide side) => side.Endpoints.Protocol is 4 or 41 or 47 or 50 || (side.Endpoints.Protocol == 17 && side.Endpoints.DestinationPort is 4789 or 8472 or 6081 or 51820);

    /// <summary>IP, the tunnel's header, what fills it up, and its tag: no tunnel adds less than 20 bytes or more than 120.</summary>
    private static bool Fits(HopSide inner, HopSide outer) => outer.Length - inner.Length is >= 20 and <= 120;
}
