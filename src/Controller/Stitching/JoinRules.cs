namespace NftCluster.Controller.Stitching;

/// <summary>The bounds of joining.</summary>
internal sealed record JoinOptions
{
    /// <summary>How long a packet may be under way between two hosts that watch; beside what their clocks may be off. Alike packets further apart are different ones.</summary>
    public long MostTransitNs { get; init; } = 2_000_000_000;

    /// <summary>How far a clock of which nothing is known may be off.</summary>
    public long UnknownClockNs { get; init; } = 1_000_000_000;
}

/// <summary>What may be a packet's next host, by TTL and time alone.</summary>
internal sealed class JoinRules(JoinOptions options)
{
    public long BoundOf(Hop hop) => hop.ClockBoundNs ?? options.UnknownClockNs;

    /// <summary>
    /// Cannot be ruled out: it came in where it may have gone out, by TTL, and not before it can have left, nor long after. When it left, a trace does not say: between its
    /// first event and its last, which may come long after the next host has the packet (seen: 46 ms, on a machine that was taken off its processor while it sent).
    /// </summary>
    public bool MayFollow(Hop from, Hop to)
    {
        if (ReferenceEquals(from, to) || from.Out is not { } left || to.In is not { } came || (left.Ttl is { } a && came.Ttl is { } b && b > a))
        {
            return false;
        }
        long bound = from.Node == to.Node ? 0 : BoundOf(from) + BoundOf(to);
        return to.InNs - from.InNs >= -bound && to.InNs - from.OutNs <= options.MostTransitNs + bound;
    }

    /// <summary>Packets that look alike and may be near in time cannot be told apart.</summary>
    public bool AreNear(Hop one, Hop other) =>
        Math.Abs(one.InNs - other.InNs) <= options.MostTransitNs + (one.Node == other.Node ? 0 : BoundOf(one) + BoundOf(other));

    /// <summary>The one that is nearest to where it left: the highest TTL; of those a host that forwards without routing (a bridge) is before one that routes.</summary>
    public static int Distance(Hop to) => (-(to.In?.Ttl ?? 0) * 2) + (IsBridge(to) ? 0 : 1);

    public static int DistanceBack(Hop from) => ((from.Out?.Ttl ?? 0) * 2) + (IsBridge(from) ? 0 : 1);

    private static bool IsBridge(Hop hop) => hop.In?.Ttl is { } came && hop.Out?.Ttl is { } left && came == left;
}
