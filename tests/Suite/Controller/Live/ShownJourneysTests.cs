using NftCluster.Controller.Live;
using NftCluster.Messages;
using NftCluster.Tests.Controller.Stitching;

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

    private static JourneyRecord Journey(string outcome, params string[] traces) => JourneySamples.Of([.. traces.Select(trace => JourneySamples.Hop("n", trace))]) with { Outcome = outcome };
}
