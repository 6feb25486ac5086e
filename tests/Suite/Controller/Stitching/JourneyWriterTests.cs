using NftCluster.Controller.Stitching;
using NftCluster.Controller.Storage;
using NftCluster.Messages;

namespace NftCluster.Tests.Controller.Stitching;

public sealed class JourneyWriterTests
{
    private static readonly Dictionary<string, string> _names = new(StringComparer.Ordinal) { ["r1"] = "edge", ["r2"] = "core", ["r3"] = "exit" };

    private readonly Hops _hops = new();

    private static JourneyRecord[] Written(IEnumerable<Hop> hops, params StoredLoss[] losses)
    {
        IReadOnlyList<JourneyHops> journeys = Hops.Journeys(hops);
        ExpectedNext expected = new();
        expected.Learn(journeys);
        ClockPairs clocks = new();
        clocks.Learn(journeys);
        JourneyWriter writer = new(new JourneyFacts("s1", _names, losses, expected, clocks));
        return [.. journeys.Select(writer.Write)];
    }

    [Fact]
    public void The_rule_that_dropped_a_packet_is_the_first_thing_said()
    {
        Hop[] way = _hops.Through(5, 0, "r1", "r2");
        way[1] = way[1] with { Out = null, Verdict = "dropped", DropReason = "NETFILTER_DROP", Dropped = new HopRule("drop", "rule", "inet", "filter", "forward", 17, "tcp dport 443 drop") };

        JourneyRecord journey = Assert.Single(Written(way));

        Assert.Equal(("dropped:nft-rule", "Dropped at core in inet filter forward by rule 17 \"tcp dport 443 drop\" on the way edge > core"), (journey.Outcome, journey.Summary));
        Assert.True(journey.Complete);
        Assert.Equal(17, journey.Hops[1].Rule?.Handle);
    }

    [Theory]
    [InlineData("delivered", null, "delivered", "Delivered at exit on the way edge > core > exit")]
    [InlineData("dropped", "NO_SOCKET", "dropped:NO_SOCKET", "Dropped at exit: NO_SOCKET on the way edge > core > exit")]
    [InlineData("forwarded", null, "forwarded-out", "Left the observed network at exit through eth1 on the way edge > core > exit")]
    public void What_became_of_a_packet_is_what_its_last_hop_saw(string verdict, string? reason, string outcome, string summary)
    {
        Hop[] way = _hops.Through(5, 0, "r1", "r2", "r3");
        way[2] = way[2] with { Verdict = verdict, DropReason = reason, Out = verdict == "forwarded" ? way[2].Out! with { Device = "eth1" } : null };

        JourneyRecord journey = Assert.Single(Written(way));

        Assert.Equal((outcome, summary), (journey.Outcome, journey.Summary));
    }

    [Fact]
    public void A_filter_that_no_longer_matches_behind_NAT_is_why_the_rest_is_not_seen()
    {
        Endpoints inside = Hops.Flow(source: 1);
        Hop hop = _hops.At("r1", Hops.Side(1, 64, inside), Hops.Side(2, 63, inside with { Source = Hops.Ip(11, 7) }), 0);
        IReadOnlyList<JourneyHops> journeys = Hops.Journeys(hop);
        JourneyFacts facts = new("s1", _names, [], new ExpectedNext(), new ClockPairs());

        string[] Reasons(Predicate<PacketSide>? filter) => [.. new JourneyWriter(facts with { Scope = SessionScope.Everything with { Filter = filter } }).Write(journeys[0]).IncompleteReasons];

        Assert.Equal(["the session's filter does not match what left edge: later hops may be hidden by it"], Reasons(side => side.SrcIp == "10.0.0.1"));
        Assert.Empty(Reasons(side => side.DstIp == "10.0.0.2"));
        Assert.Empty(Reasons(side => false)); // it asks for what is not kept
        Assert.Empty(Reasons(null));
    }

    [Fact]
    public void A_node_that_never_ran_the_session_is_named_where_a_packet_may_have_gone_on()
    {
        SessionScope scope = SessionScope.Everything with { Blind = new Dictionary<string, string>(StringComparer.Ordinal) { ["r2"] = "needs CAP_BPF" } };
        JourneyFacts facts = new("s1", _names, [], new ExpectedNext(), new ClockPairs()) { Scope = scope };
        Hop[] way = _hops.Through(5, 0, "r1", "r2", "r3");

        string[] Reasons(params Hop[] hops) => [.. new JourneyWriter(facts).Write(Hops.Journeys(hops)[0]).IncompleteReasons];

        Assert.Equal(["core sees nothing of this session: needs CAP_BPF"], Reasons(way[0]));
        Assert.Equal(["1 unseen router(s) between edge and exit", "core sees nothing of this session: needs CAP_BPF"], Reasons(way[0], way[2]));
        Assert.Empty(Reasons(way[0] with { Out = null, Verdict = "delivered" }));
    }

    [Fact]
    public void A_hole_in_the_way_is_told_with_what_was_lost_there_meanwhile()
    {
        Hop[] way = _hops.Through(5, 0, "r1", "r2", "r3");
        StoredLoss down = new("", "r2", "node-down", "packets", null, Hops.Start - 1_000_000_000, Hops.Start + 6_000_000_000, "killed");
        StoredLoss later = down with { FromNs = Hops.Start + 60_000_000_000, ToNs = Hops.Start + 61_000_000_000 };

        JourneyRecord journey = Assert.Single(Written([way[0], way[2]], down, later));

        Assert.False(journey.Complete);
        Assert.Equal(["1 unseen router(s) between edge and exit", "core offline 23:59:59.000–00:00:06.000"], journey.IncompleteReasons);
    }

    [Fact]
    public void A_packet_that_is_not_seen_where_all_others_arrive_is_marked_there()
    {
        IEnumerable<Hop> others = Enumerable.Range(0, 20).SelectMany(i => _hops.Through((ulong)(100 + i), i * 10, "r1", "r2")).Select(hop => hop with { Out = hop.Out! with { Device = "eth1" } });
        Hop lost = _hops.Through(5, 300, "r1")[0];
        lost = lost with { Out = lost.Out! with { Device = "eth1" } };

        JourneyRecord journey = Written([.. others, lost])[^1];

        Assert.Equal(("incomplete", "core"), (journey.Outcome, journey.Hops[^1].ExpectedNext));
        Assert.Equal(["expected next at core, not seen there"], journey.IncompleteReasons);
    }

    [Fact]
    public void Raw_and_aligned_times_are_both_kept_and_a_latency_between_hosts_has_its_bound()
    {
        Hop first = _hops.At("r1", Hops.Side(5, 64), Hops.Side(5, 63), 0, offsetNs: 5_000_000_000, boundNs: 300);
        Hop second = _hops.At("r2", Hops.Side(5, 63), null, 1, offsetNs: 0, boundNs: 200);

        JourneyRecord journey = Assert.Single(Written([first, second]));

        Assert.Equal((TraceTime.Format(Hops.Start + 5_000_000_000), TraceTime.Format(Hops.Start)), (journey.Hops[0].FirstSeen, journey.Hops[0].FirstSeenAligned));
        Assert.Equal((900_000L, 500L), (journey.Hops[1].Join!.LatencyNs, journey.Hops[1].Join!.LatencyBoundNs));
        Assert.Equal((1_100_000L, 500L), (journey.LatencyNs, journey.LatencyBoundNs));
    }
}
