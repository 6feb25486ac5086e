using NftCluster.Controller.Storage;

namespace NftCluster.Controller.Stitching;

/// <summary>
/// The packets of one connection that go the other way: they come in where the packet went out, with source and destination changed over, whatever NAT
/// lies between. An answer to an echo has the echo's number, too. Which of several answers a packet is nobody can tell: it is the nearest in time.
/// </summary>
internal static class OtherWay
{
    public static TraceId? Next(JourneyHops journey, IReadOnlyList<JourneyHops> others) =>
        others.Where(other => IsOtherWay(journey, other) && Begin(other) >= Begin(journey)).MinBy(Begin)?.Hops[0].Id;

    public static TraceId? Previous(JourneyHops journey, IReadOnlyList<JourneyHops> others) =>
        others.Where(other => IsOtherWay(journey, other) && Begin(other) <= Begin(journey)).MaxBy(Begin)?.Hops[0].Id;

    private static long Begin(JourneyHops journey) => journey.Hops[0].InNs;

    private static bool IsOtherWay(JourneyHops one, JourneyHops other) => !ReferenceEquals(one, other)
        && (Meets(one, other) || Meets(other, one));

    /// <summary>The second begins where the first ends.</summary>
    private static bool Meets(JourneyHops first, JourneyHops second) =>
        (first.Hops[^1].Out ?? first.Hops[^1].In) is { } end && second.Hops[0].Side is { } begin && end.Endpoints.Protocol != 0 && begin.Endpoints == end.Endpoints.Reversed && begin.Echo == end.Echo;
}
