using NftCluster.Controller.Stitching;

namespace NftCluster.Tests.Controller.Stitching;

public sealed class OtherWayTests
{
    private readonly Hops _hops = new();

    [Fact]
    public void A_reply_is_found_through_NAT_by_the_header_behind_it()
    {
        Endpoints inside = Hops.Flow(source: 1, destination: 9);
        Endpoints outside = inside with { Source = Hops.Ip(11, 7), SourcePort = 2_000 };
        Hop there = _hops.At("r1", Hops.Side(1, 64, inside), Hops.Side(2, 63, outside), 0);
        Hop back = _hops.At("r1", Hops.Side(3, 64, outside.Reversed), Hops.Side(4, 63, inside.Reversed), 5);
        IReadOnlyList<JourneyHops> journeys = Hops.Journeys(there, back);

        Assert.Equal(back.Id, OtherWay.Next(Of(journeys, there), journeys));
        Assert.Equal(there.Id, OtherWay.Previous(Of(journeys, back), journeys));
        Assert.Null(OtherWay.Previous(Of(journeys, there), journeys));
    }

    [Fact]
    public void Of_several_the_nearest_in_time_is_taken_and_another_connection_s_never()
    {
        Hop there = _hops.At("r1", Hops.Side(1, 64), Hops.Side(1, 63), 0);
        Hop near = _hops.At("r1", Hops.Side(2, 64, Hops.Flow().Reversed), Hops.Side(2, 63, Hops.Flow().Reversed), 3);
        Hop far = _hops.At("r1", Hops.Side(3, 64, Hops.Flow().Reversed), Hops.Side(3, 63, Hops.Flow().Reversed), 4);
        Hop other = _hops.At("r1", Hops.Side(4, 64, Hops.Flow(sourcePort: 7).Reversed), Hops.Side(4, 63, Hops.Flow(sourcePort: 7).Reversed), 1);
        IReadOnlyList<JourneyHops> journeys = Hops.Journeys(there, near, far, other);

        Assert.Equal(near.Id, OtherWay.Next(Of(journeys, there), journeys));
    }

    [Fact]
    public void An_echo_s_answer_has_its_number()
    {
        Endpoints ping = Hops.Flow(sourcePort: 0, destinationPort: 0, protocol: 1);
        Hop there = Echo(0, 7, ping);
        Hop lateAnswer = Echo(1, 6, ping.Reversed);
        Hop answer = Echo(2, 7, ping.Reversed);
        IReadOnlyList<JourneyHops> journeys = Hops.Journeys(there, lateAnswer, answer);

        Assert.Equal(answer.Id, OtherWay.Next(Of(journeys, there), journeys));

        Hop Echo(double atMs, uint number, Endpoints flow) => _hops.At("r1", Hops.Side((ulong)(100 * atMs) + number, 64, flow) with { Echo = number }, Hops.Side((ulong)(100 * atMs) + number, 63, flow) with { Echo = number }, atMs);
    }

    private static JourneyHops Of(IReadOnlyList<JourneyHops> journeys, Hop hop) => journeys.Single(journey => journey.Hops.Any(one => one.Id == hop.Id));
}
