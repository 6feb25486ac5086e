using NftCluster.Messages;

namespace NftCluster.Tests.Controller.Stitching;

/// <summary>Journeys in their public shape.</summary>
internal static class JourneySamples
{
    public static JourneyRecord Of(params HopRecord[] hops) => new()
    {
        Id = hops.Length > 0 ? hops[0].TraceId : "none",
        SessionId = "s1",
        Summary = "",
        Path = [.. hops.Select(hop => hop.NodeName)],
        Outcome = "forwarded-out",
        Protocol = "UDP",
        FirstSeen = "2026-01-01T00:00:00.000000000Z",
        LatencyNs = 0,
        Complete = true,
        IncompleteReasons = [],
        Ambiguous = [],
        Hops = hops,
    };

    /// <summary>In by eth0, out by eth1.</summary>
    public static HopRecord Hop(string node, string? trace = null) => new()
    {
        TraceId = trace ?? node,
        NodeId = node,
        NodeName = node,
        FirstSeen = "",
        LastSeen = "",
        FirstSeenAligned = "",
        ClockOffsetNs = 0,
        DurationNs = 1,
        Translated = false,
        Verdict = "forwarded",
        In = new HopSideRecord { Device = "eth0" },
        Out = new HopSideRecord { Device = "eth1" },
    };
}
