using NftCluster.Controller.Cluster;
using NftCluster.Controller.Stitching;

namespace NftCluster.Tests.Controller.Stitching;

/// <summary>Simulated hosts with clocks of their own: far off, drifting, set in the middle. The truth is known, what is said of it is compared.</summary>
public sealed class ClockPairsTests
{
    private const long Second = 1_000_000_000;
    private const long Microsecond = 1_000;

    private readonly Hops _hops = new();

    [Fact]
    public void Packets_both_ways_tell_the_difference_much_better_than_heartbeats()
    {
        // r2 is 5 ms ahead of r1 and heartbeats said nothing of it, within 20 ms.
        Hop there = At("r1", 1, 64, 0, 0);
        Hop arrived = At("r2", 1, 63, 100 * Microsecond, 5_000 * Microsecond);
        Hop back = At("r2", 2, 64, 300 * Microsecond, 5_000 * Microsecond);
        Hop home = At("r1", 2, 63, 500 * Microsecond, 0);
        ClockDifference between = Learned(there, arrived, back, home).Between(there, arrived);

        Assert.InRange(between.BoundNs!.Value, 0, 300 * Microsecond);
        Assert.InRange(5_000 * Microsecond, between.OffsetNs - between.BoundNs.Value, between.OffsetNs + between.BoundNs.Value);
    }

    [Fact]
    public void One_way_alone_leaves_what_heartbeats_said()
    {
        Hop there = At("r1", 1, 64, 0, 0);
        Hop arrived = At("r2", 1, 63, 100 * Microsecond, 5_000 * Microsecond);

        Assert.Equal(new ClockDifference(0, 40_000 * Microsecond), Learned(there, arrived).Between(there, arrived));
    }

    [Fact]
    public void Over_a_third_host_the_difference_is_told_too()
    {
        Hop[] there = [At("r1", 1, 64, 0, 0), At("r2", 1, 63, 100 * Microsecond, 9_000 * Microsecond), At("r3", 1, 62, 200 * Microsecond, -9_000 * Microsecond)];
        Hop[] back = [At("r3", 2, 64, 300 * Microsecond, -9_000 * Microsecond), At("r2", 2, 63, 400 * Microsecond, 9_000 * Microsecond), At("r1", 2, 62, 500 * Microsecond, 0)];

        ClockDifference between = Learned([.. there, .. back]).Between(there[0], there[2]);

        Assert.InRange(-9_000 * Microsecond, between.OffsetNs - between.BoundNs!.Value, between.OffsetNs + between.BoundNs.Value);
        Assert.InRange(between.BoundNs.Value, 0, 500 * Microsecond);
    }

    [Fact]
    public void A_clock_that_was_set_between_two_packets_is_not_explained_away()
    {
        Hop[] before = [At("r1", 1, 64, 0, 0), At("r2", 1, 63, 100 * Microsecond, -15_000 * Microsecond)];
        Hop[] after = [At("r2", 2, 64, 300 * Microsecond, 15_000 * Microsecond), At("r1", 2, 63, 500 * Microsecond, 0)];

        Assert.Null(Learned([.. before, .. after]).Between(before[0], before[1]).BoundNs);
    }

    [Fact]
    public void Clocks_thirty_seconds_apart_that_drift_and_are_set_neither_upset_the_order_nor_leave_their_bounds()
    {
        Random random = new(20_260_101);
        SimulatedClock[] clocks = [new(30 * Second, 200e-6), new(-30 * Second, -200e-6), new(7 * Second, 120e-6)];
        string[] nodes = ["r1", "r2", "r3"];
        ClockEstimate[] estimates = [new(), new(), new()];
        (int samples, int outside, int journeysInOrder, int journeys) = (0, 0, 0, 0);
        List<(Hop Hop, int Node, long TrueNs)> window = [];
        ulong wire = 1;
        for (long now = 0; now < 120 * Second; now += 10_000_000)
        {
            if (now == 60 * Second)
            {
                clocks[1].Set(3 * Second);
            }
            if (now % (5 * Second) == 0)
            {
                for (int i = 0; i < 3; i++)
                {
                    Beat(estimates[i], clocks[i], now, random);
                }
            }
            bool isForth = random.Next(2) == 0;
            int[] way = isForth ? [0, 1, 2] : [2, 1, 0];
            long at = now;
            for (int i = 0; i < 3; i++)
            {
                (Hop hop, int node) = (Trace(nodes[way[i]], wire, 64 - i, clocks[way[i]].At(at), estimates[way[i]], now), way[i]);
                window.Add((hop, node, at));
                samples++;
                outside += Math.Abs(hop.ClockOffsetNs - clocks[node].OffsetAt(at)) <= hop.ClockBoundNs ? 0 : 1;
                at += 20 * Microsecond + (long)(random.NextDouble() * 200 * Microsecond);
            }
            wire++;
            // A heartbeat after the clock was set is when that is known: windows meet there.
            if ((now + 10_000_000) % (5 * Second) == 0)
            {
                IReadOnlyList<JourneyHops> joined = Hops.Journeys(window.Select(one => one.Hop));
                ClockPairs pairs = new();
                pairs.Learn(joined);
                var truth = window.ToDictionary(one => one.Hop.Id, one => one);
                foreach (JourneyHops journey in joined)
                {
                    journeys++;
                    journeysInOrder += journey.Hops.Count == 3 && journey.Hops.Zip(journey.Hops.Skip(1)).All(pair => truth[pair.First.Id].TrueNs < truth[pair.Second.Id].TrueNs) ? 1 : 0;
                    (Hop first, Hop last) = (journey.Hops[0], journey.Hops[^1]);
                    ClockDifference said = pairs.Between(first, last);
                    if (said.BoundNs is { } bound)
                    {
                        samples++;
                        long real = clocks[truth[last.Id].Node].OffsetAt(truth[last.Id].TrueNs) - clocks[truth[first.Id].Node].OffsetAt(truth[first.Id].TrueNs);
                        outside += Math.Abs(said.OffsetNs - real) <= bound ? 0 : 1;
                    }
                }
                window.Clear();
            }
        }

        Assert.Equal(12_000, journeys);
        Assert.Equal(journeys, journeysInOrder);
        Assert.InRange(outside, 0, samples / 1_000);
    }

    /// <summary>As a node and the controller exchange them: uneven ways of up to 4 ms.</summary>
    private static void Beat(ClockEstimate estimate, SimulatedClock clock, long now, Random random)
    {
        long there = (long)(random.NextDouble() * 4_000 * Microsecond);
        long back = (long)(random.NextDouble() * 4_000 * Microsecond);
        estimate.Add(clock.At(now), Hops.Start + now + there, Hops.Start + now + there, clock.At(now + there + back));
    }

    private Hop Trace(string node, ulong wire, int ttl, long clockNs, ClockEstimate estimate, long now) => _hops.At(node, Hops.Side(wire, ttl), Hops.Side(wire, ttl - 1), 0) with
    {
        FirstNs = clockNs,
        LastNs = clockNs + 15 * Microsecond,
        ClockOffsetNs = estimate.OffsetNs!.Value,
        ClockBoundNs = estimate.BoundNs!.Value + ClockEstimate.DriftNs(now % (5 * Second)),
    };

    /// <summary>A hop whose clock is that far ahead, of which the heartbeats know only that it is within 20 ms.</summary>
    private Hop At(string node, ulong wire, int ttl, long trueNs, long aheadNs) => _hops.At(node, Hops.Side(wire, ttl), Hops.Side(wire, ttl - 1), 0, boundNs: 20_000 * Microsecond) with
    {
        FirstNs = Hops.Start + trueNs + aheadNs,
        LastNs = Hops.Start + trueNs + aheadNs + 20 * Microsecond,
    };

    private static ClockPairs Learned(params Hop[] hops)
    {
        ClockPairs pairs = new();
        pairs.Learn(Hops.Journeys(hops));
        return pairs;
    }

    private sealed class SimulatedClock(long offsetNs, double drift)
    {
        private long _offset = offsetNs;

        public void Set(long byNs) => _offset += byNs;

        public long OffsetAt(long trueNs) => _offset + (long)(trueNs * drift);

        public long At(long trueNs) => Hops.Start + trueNs + OffsetAt(trueNs);
    }
}
