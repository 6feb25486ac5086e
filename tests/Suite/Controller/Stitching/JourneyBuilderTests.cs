using FsCheck;
using FsCheck.Fluent;
using NftCluster.Controller.Stitching;

namespace NftCluster.Tests.Controller.Stitching;

public sealed class JourneyBuilderTests
{
    private static readonly string[] _routers = ["r1", "r2", "r3"];

    private readonly Hops _hops = new();

    [Fact]
    public void A_packet_through_three_routers_is_one_journey_in_the_order_of_its_TTL() =>
        Assert.Equal(["r1 exact r2 exact r3"], Hops.Said(Hops.Journeys(_hops.Through(5, 0, "r1", "r2", "r3").Reverse())));

    [Fact]
    public void The_TTL_orders_even_where_a_clock_is_wrong_within_its_bound()
    {
        HopSide Side(int ttl) => Hops.Side(5, ttl);
        Hop first = _hops.At("r1", Side(64), Side(63), 2, boundNs: 30_000_000_000);
        Hop second = _hops.At("r2", Side(63), Side(62), 0, boundNs: 30_000_000_000);

        JourneyHops journey = Assert.Single(Hops.Journeys(first, second));

        Assert.Equal("r1 exact r2", Assert.Single(Hops.Said([journey])));
    }

    [Fact]
    public void Joins_give_the_order_where_a_tunnel_s_TTL_would_turn_it_round()
    {
        Endpoints around = Hops.Flow(source: 21, destination: 23, destinationPort: 4_789);
        Hop begin = _hops.At("r1", Hops.Side(1, 10), Hops.Side(2, 64, around), 0);
        Hop middle = _hops.At("r2", Hops.Side(2, 64, around), Hops.Side(2, 63, around), 1);
        Hop end = _hops.At("r3", Hops.Side(2, 63, around), Hops.Side(1, 8), 2);

        Assert.Equal(["r1 exact r2 exact r3"], Hops.Said(Hops.Journeys(end, middle, begin)));
    }

    [Fact]
    public void A_host_s_last_event_may_come_after_the_next_host_has_the_packet()
    {
        Hop slow = _hops.At("r1", Hops.Side(5, 64), Hops.Side(5, 63), 0, boundNs: 1_000_000);
        slow = slow with { LastNs = slow.FirstNs + 50 * Hops.Millisecond };
        Hop next = _hops.At("r2", Hops.Side(5, 63), Hops.Side(5, 62), 6, boundNs: 1_000_000);

        Assert.Equal(["r1 exact r2"], Hops.Said(Hops.Journeys(slow, next)));
    }

    [Fact]
    public void Before_a_packet_was_first_seen_it_cannot_have_come_in_elsewhere()
    {
        Hop first = _hops.At("r1", Hops.Side(5, 64), Hops.Side(5, 63), 6, boundNs: 1_000_000);
        Hop earlier = _hops.At("r2", Hops.Side(5, 63), Hops.Side(5, 62), 0, boundNs: 1_000_000);

        Assert.Equal(2, Hops.Journeys(first, earlier).Count);
    }

    [Fact]
    public void Clocks_that_are_thirty_seconds_apart_do_not_matter_where_the_offset_is_known()
    {
        Hop first = _hops.At("r1", Hops.Side(5, 64), Hops.Side(5, 63), 0, offsetNs: 30_000_000_000);
        Hop second = _hops.At("r2", Hops.Side(5, 63), Hops.Side(5, 62), 1, offsetNs: -30_000_000_000);

        Join join = Assert.Single(Assert.Single(Hops.Journeys(first, second)).Joins);

        Assert.Equal((JoinKind.Exact, 900_000L), (join.Kind, join.To.InNs - join.From.OutNs));
    }

    [Fact]
    public void Source_NAT_inside_a_router_keeps_one_journey()
    {
        Endpoints outside = Hops.Flow(source: 99, sourcePort: 4_000);
        Hop[] way =
        [
            _hops.At("r1", Hops.Side(5, 64), Hops.Side(6, 63, outside, content: 9), 0),
            _hops.At("r2", Hops.Side(6, 63, outside, content: 9), Hops.Side(6, 62, outside, content: 9), 1),
        ];

        Assert.Equal(["r1 exact r2"], Hops.Said(Hops.Journeys(way)));
    }

    [Fact]
    public void A_router_that_nobody_watches_shows_in_the_TTL()
    {
        Hop[] way = _hops.Through(5, 0, "r1", "r2", "r3");

        Join join = Assert.Single(Assert.Single(Hops.Journeys(way[0], way[2])).Joins);

        Assert.Equal((JoinKind.Exact, 1), (join.Kind, join.UnseenRouters));
    }

    [Fact]
    public void NAT_by_a_router_that_nobody_watches_is_joined_by_content_and_one_common_end()
    {
        Hop before = _hops.At("r1", Hops.Side(5, 64, content: 9), Hops.Side(5, 63, content: 9), 0);
        Endpoints translated = Hops.Flow(source: 99, sourcePort: 4_000);
        Hop behind = _hops.At("r3", Hops.Side(6, 62, translated, content: 9), Hops.Side(6, 61, translated, content: 9), 2);

        Assert.Equal(["r1 content r3"], Hops.Said(Hops.Journeys(before, behind)));
    }

    [Fact]
    public void Content_alone_joins_nothing_that_has_no_end_in_common()
    {
        Hop before = _hops.At("r1", Hops.Side(5, 64, content: 9), Hops.Side(5, 63, content: 9), 0);
        Hop behind = _hops.At("r3", Hops.Side(6, 62, Hops.Flow(98, 99, 1, 2), content: 9), null, 2);

        Assert.Equal(["r1", "r3"], Hops.Said(Hops.Journeys(before, behind)));
    }

    [Fact]
    public void Conntrack_tells_as_what_a_packet_left_whose_way_out_was_not_seen()
    {
        Endpoints original = Hops.Flow();
        Endpoints translated = Hops.Flow(source: 99, sourcePort: 4_000);
        Hop before = _hops.At("r1", Hops.Side(5, 64, original, content: 9), null, 0, "unknown") with { CtOriginal = original, CtReply = translated.Reversed };
        Hop behind = _hops.At("r2", Hops.Side(6, 63, translated, content: 9), null, 1);

        Assert.Equal(["r1 nat r2"], Hops.Said(Hops.Journeys(before, behind)));
    }

    [Fact]
    public void Packets_that_look_alike_are_ambiguous_and_stay_apart()
    {
        IEnumerable<Hop> twins = _hops.Through(5, 0, "r1", "r2").Concat(_hops.Through(5, 10, "r1", "r2"));

        IReadOnlyList<JourneyHops> journeys = Hops.Journeys(twins);

        Assert.All(journeys, journey => Assert.Single(journey.Hops));
        Assert.Equal(4, journeys.Count);
        Assert.All(journeys.SelectMany(journey => journey.Ambiguous), join => Assert.Equal((JoinKind.Ambiguous, 2), (join.Kind, join.Candidates)));
    }

    [Fact]
    public void One_of_two_alike_that_was_lost_on_the_way_is_not_taken_for_the_other()
    {
        Hop[] lost = _hops.Through(5, 0, "r1");
        Hop[] arrived = _hops.Through(5, 1, "r1", "r2");

        Assert.All(Hops.Journeys([.. lost, .. arrived]), journey => Assert.Empty(journey.Joins));
    }

    [Fact]
    public void Packets_that_look_alike_but_are_far_apart_in_time_are_different_ones() =>
        Assert.Equal(["r1 exact r2", "r1 exact r2"], Hops.Said(Hops.Journeys(_hops.Through(5, 0, "r1", "r2").Concat(_hops.Through(5, 60_000, "r1", "r2")))));

    [Fact]
    public void What_came_in_before_it_left_elsewhere_is_not_joined()
    {
        Hop first = _hops.At("r1", Hops.Side(5, 64), Hops.Side(5, 63), 100);
        Hop second = _hops.At("r2", Hops.Side(5, 63), Hops.Side(5, 62), 0);

        Assert.All(Hops.Journeys(first, second), journey => Assert.Empty(journey.Joins));
    }

    [Fact]
    public void A_multicast_packet_is_a_tree()
    {
        Endpoints group = Hops.Flow() with { Destination = Hops.Ip(224, 5) };
        Hop sender = _hops.At("r1", Hops.Side(5, 64, group), Hops.Side(5, 63, group), 0);
        Hop[] branches = [_hops.At("r2", Hops.Side(5, 63, group), null, 1), _hops.At("r3", Hops.Side(5, 63, group), null, 1)];

        JourneyHops tree = Assert.Single(Hops.Journeys([sender, .. branches]));

        Assert.Equal([("r1", "r2", "exact"), ("r1", "r3", "exact")], tree.Joins.Select(join => (join.From.Node, join.To.Node, join.Name)));
    }

    [Fact]
    public void A_bridge_stands_between_two_routers_though_it_takes_nothing_from_the_TTL()
    {
        Hop[] way =
        [
            _hops.At("r1", Hops.Side(5, 64), Hops.Side(5, 63), 0),
            _hops.At("bridge", Hops.Side(5, 63), Hops.Side(5, 63), 1),
            _hops.At("r2", Hops.Side(5, 63), Hops.Side(5, 62), 2),
        ];

        Assert.Equal(["r1 exact bridge exact r2"], Hops.Said(Hops.Journeys(way)));
    }

    [Fact]
    public void Segments_that_were_put_together_on_the_way_are_joined_by_their_bytes()
    {
        Endpoints flow = Hops.Flow(protocol: 6);
        HopSide Segment(ulong wire, int ttl, uint seq, int length) => Hops.Side(wire, ttl, flow) with { TcpSeq = seq, PayloadLength = length };
        Hop[] segments = [_hops.At("r1", Segment(1, 64, 100, 50), Segment(1, 63, 100, 50), 0), _hops.At("r1", Segment(2, 64, 150, 50), Segment(2, 63, 150, 50), 0.1)];
        Hop whole = _hops.At("r2", Segment(3, 63, 100, 100), Segment(3, 62, 100, 100), 1);

        JourneyHops journey = Assert.Single(Hops.Journeys([.. segments, whole]));

        Assert.Equal(2, journey.Joins.Count);
        Assert.All(journey.Joins, join => Assert.Equal((JoinKind.Exact, "r2"), (join.Kind, join.To.Node)));
    }

    [Fact]
    public void Bytes_that_were_sent_again_are_ambiguous()
    {
        Endpoints flow = Hops.Flow(protocol: 6);
        HopSide Segment(ulong wire, int ttl, uint seq, int length) => Hops.Side(wire, ttl, flow) with { TcpSeq = seq, PayloadLength = length };
        Hop[] sent = [_hops.At("r1", Segment(1, 64, 100, 50), Segment(1, 63, 100, 50), 0), _hops.At("r1", Segment(2, 64, 100, 50), Segment(2, 63, 100, 50), 5)];
        Hop whole = _hops.At("r2", Segment(3, 63, 100, 100), null, 6);

        Assert.All(Hops.Journeys([.. sent, whole]), journey => Assert.Empty(journey.Joins));
    }

    [Fact]
    public void Fragments_belong_to_their_datagram()
    {
        HopSide whole = Hops.Side(1, 63) with { IpId = 77, PayloadLength = 3_000 };
        HopSide Fragment(ulong wire, int ttl, int offset) => Hops.Side(wire, ttl, Hops.Flow(sourcePort: 0, destinationPort: 0)) with { IpId = 77, FragmentOffset = offset };
        Hop sender = _hops.At("r1", Hops.Side(1, 64), whole, 0);
        Hop[] parts = [_hops.At("r2", Fragment(2, 63, 0), Fragment(2, 62, 0), 1), _hops.At("r2", Fragment(3, 63, 1_480), Fragment(3, 62, 1_480), 1.1)];

        Assert.Equal(2, Assert.Single(Hops.Journeys([sender, .. parts])).Joins.Count);
    }

    [Fact]
    public void Of_a_crowd_that_looks_alike_nothing_is_joined_and_its_number_is_told()
    {
        IEnumerable<Hop> crowd = Enumerable.Range(0, 100).SelectMany(i => _hops.Through(5, i, "r1", "r2"));

        IReadOnlyList<JourneyHops> journeys = Hops.Journeys(crowd.Concat(_hops.Through(5, 60_000, "r1", "r2")));

        Assert.Equal("r1 exact r2", Hops.Said(journeys)[^1]);
        Assert.All(journeys.SkipLast(1), journey => Assert.Equal((1, 200), (journey.Hops.Count, journey.Alike)));
    }

    [Fact]
    public void Any_order_and_any_repeats_give_the_same_journeys() => Prop.ForAll(Gen.Choose(0, int.MaxValue).ToArbitrary(), seed =>
    {
        Random random = new(seed);
        Hops hops = new();
        List<Hop> seen = [];
        for (int packet = 0; packet < 20; packet++)
        {
            // Few digests and near times: exact, ambiguous and unjoined ones side by side.
            string[] way = [.. _routers.Where(_ => random.Next(4) > 0)];
            seen.AddRange(hops.Through((ulong)random.Next(12), random.Next(5_000), way));
        }
        Hop[] shuffled = [.. seen.Concat(seen.Where(_ => random.Next(3) == 0))];
        random.Shuffle(shuffled);
        return Hops.Said(Hops.Journeys(seen)).SequenceEqual(Hops.Said(Hops.Journeys(shuffled)), StringComparer.Ordinal);
    }).QuickCheckThrowOnFailure();
}
