using NftCluster.Controller.Stitching;
using NftCluster.Controller.Storage;

namespace NftCluster.Tests.Controller.Stitching;

/// <summary>Hops as a test writes them: a packet on its way, seen here and there.</summary>
internal sealed class Hops
{
    public const long Start = 1_767_225_600_000_000_000;
    public const long Millisecond = 1_000_000;

    private int _numbers;

    public static Endpoints Flow(byte source = 1, byte destination = 2, ushort sourcePort = 1_000, ushort destinationPort = 80, byte protocol = 17) =>
        new(protocol, Ip(10, source), Ip(10, destination), sourcePort, destinationPort);

    public static UInt128 Ip(byte a, byte d) => ((UInt128)0xffff << 32) | ((uint)a << 24) | d;

    public static HopSide Side(ulong? wire, int ttl, Endpoints? flow = null, ulong? content = null) =>
        new() { Wire = wire, Content = content ?? 1_000_000 + wire, Ttl = ttl, Endpoints = flow ?? Flow(), IpId = 7, PayloadLength = 100 };

    /// <summary>One router's trace; times in ms from the start, a router takes 0.1 ms.</summary>
    public Hop At(string node, HopSide? came, HopSide? left, double atMs, string? verdict = null, long offsetNs = 0, long boundNs = 1_000_000) => new()
    {
        Id = new TraceId(node, 1, 1, _numbers++),
        FirstNs = Start + (long)(atMs * Millisecond) + offsetNs,
        LastNs = Start + (long)(atMs * Millisecond) + offsetNs + Millisecond / 10,
        ClockOffsetNs = offsetNs,
        ClockBoundNs = boundNs,
        In = came,
        Out = left,
        Verdict = verdict ?? (left is null ? "delivered" : "forwarded"),
        IsComplete = true,
    };

    /// <summary>A packet through these routers, each a millisecond behind the other.</summary>
    public Hop[] Through(ulong wire, double atMs, params string[] nodes) =>
        [.. nodes.Select((node, i) => At(node, Side(wire, 64 - i), Side(wire, 63 - i), atMs + i))];

    public static IReadOnlyList<JourneyHops> Journeys(params IEnumerable<Hop> hops)
    {
        JourneyBuilder builder = new();
        foreach (Hop hop in hops)
        {
            builder.Add(hop);
        }
        return builder.Build();
    }

    /// <summary>"r1 exact r2 exact r3", a line each journey.</summary>
    public static string[] Said(IReadOnlyList<JourneyHops> journeys) =>
        [.. journeys.Select(journey => journey.Hops[0].Node + string.Concat(journey.Hops.Skip(1).Select(hop => $" {journey.Joins.FirstOrDefault(join => join.To.Id == hop.Id)?.Name ?? "?"} {hop.Node}"))
            + string.Concat(journey.Ambiguous.Where(join => journey.Hops.Contains(join.From)).Select(join => $" | {join.Name} {join.To.Node}")))];
}
