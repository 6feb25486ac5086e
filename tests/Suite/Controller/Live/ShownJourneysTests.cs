using NftCluster.Controller.Live;
using NftCluster.Messages;

namespace NftCluster.Tests.Controller.Live;

public sealed class ShownJourneysTests
{
    [Fact]
    public void A_journey_is_shown_once_until_it_changes()
    {
        ShownJourneys shown = new();

        Assert.Equal([], shown.Take(Journey("delivered", "a", "b"))!);
        Assert.Null(shown.Take(Journey("delivered", "a", "b")));
        Assert.Equal([], shown.Take(Journey("dropped:nft-rule", "a", "b"))!);
    }

    [Fact]
    public void A_hop_that_comes_late_replaces_the_journeys_that_were_parts()
    {
        ShownJourneys shown = new();
        shown.Take(Journey("incomplete", "a"));
        shown.Take(Journey("delivered", "c"));

        Assert.Equal(["a", "c"], shown.Take(Journey("delivered", "early", "a", "b", "c"))!);
        Assert.Null(shown.Take(Journey("delivered", "early", "a", "b", "c")));
    }

    [Fact]
    public void Beyond_the_bound_the_oldest_are_forgotten_and_counted()
    {
        ShownJourneys shown = new(most: 2);
        shown.Take(Journey("delivered", "a"));
        shown.Take(Journey("delivered", "b"));
        shown.Take(Journey("delivered", "c"));

        Assert.Equal(1, shown.Forgotten);
        Assert.NotNull(shown.Take(Journey("delivered", "a")));
        Assert.Null(shown.Take(Journey("delivered", "c")));
    }

    private static JourneyRecord Journey(string outcome, params string[] traces) => new()
    {
        Id = traces[0],
        SessionId = "s1",
        Summary = "",
        Path = [],
        Outcome = outcome,
        Protocol = "UDP",
        FirstSeen = "2026-01-01T00:00:00.000000000Z",
        LatencyNs = 0,
        Complete = true,
        IncompleteReasons = [],
        Ambiguous = [],
        Hops = [.. traces.Select(id => new HopRecord { TraceId = id, NodeId = "n", NodeName = "n", FirstSeen = "", LastSeen = "", FirstSeenAligned = "", ClockOffsetNs = 0, DurationNs = 0, Translated = false, Verdict = "forwarded" })],
    };
}
