using NftCluster.Controller.Storage;

namespace NftCluster.Controller.Stitching;

/// <summary>
/// The packets of one connection that go the other way: they come in where the packet went out, with source and destination changed over, whatever NAT
/// lies between. An answer to an echo has the echo's number, too. Which of several answers a packet is nobody can tell: it is the nearest in time.
/// </summary>
internal static class OtherWay
{
    public static TraceId? Next(JourneyHops journey, IReadOnlyList<JourneyHops> others) => Nearest(journey, others, behind => behind >= 0);

    public static TraceId? Previous(JourneyHops journey, IReadOnlyList<JourneyHops> others) => Nearest(journey, others, behind => behind < 0);

    private static TraceId? Nearest(JourneyHops journey, IReadOnlyList<JourneyHops> others, Func<long, bool> isOnThatSide) =>
        others.Where(other => IsOtherWay(journey, other)).Select(other => (other.Hops[0].Id, Behind: BehindNs(journey, other)))
            .Where(other => isOnThatSide(other.Behind)).OrderBy(other => Math.Abs(other.Behind)).Select(other => (TraceId?)other.Id).FirstOrDefault();

    /// <summary>By the clock of a host that saw both, where there is one: clocks of two may be further apart than a packet and its answer.</summary>
    private static long BehindNs(JourneyHops journey, JourneyHops other)
    {
        foreach (Hop hop in journey.Hops)
        {
            if (other.Hops.FirstOrDefault(one => one.Node == hop.Node) is { } same)
            {
                return same.FirstNs - hop.FirstNs;
            }
        }
        return other.Hops[0].InNs - journey.Hops[0].InNs;
    }

    private static bool IsOtherWay(JourneyHops one, JourneyHops other) => !ReferenceEquals(one, other) && (Meets(one, other) || Meets(other, one));

    /// <summary>The second begins where the first ends.</summary>
    private static bool Meets(JourneyHops first, JourneyHops second) =>
        (first.Hops[^1].Out ?? first.Hops[^1].In) is { } end && second.Hops[0].Side is { } begin && end.Endpoints.Protocol != 0 && begin.Endpoints == end.Endpoints.Reversed && begin.Echo == end.Echo;
}
