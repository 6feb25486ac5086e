using NftCluster.Controller.Cluster;

namespace NftCluster.Tests.Controller.Cluster;

public sealed class ClockEstimateTests
{
    private const long Second = 1_000_000_000;
    private readonly ClockEstimate _clock = new();

    [Fact]
    public void The_offset_lies_within_its_bound_however_uneven_the_two_ways_are()
    {
        // The node is 5 s ahead; 1 ms there, 9 ms back.
        _clock.Add(heartbeatSentNs: 105 * Second, heartbeatReceivedNs: (100 * Second) + 1_000_000, echoSentNs: (100 * Second) + 1_000_000, echoReceivedNs: (105 * Second) + 10_000_000);
        Assert.Equal(5_000_000, _clock.BoundNs);
        Assert.InRange(_clock.OffsetNs!.Value, (5 * Second) - 5_000_000, (5 * Second) + 5_000_000);
    }

    [Fact]
    public void The_best_sample_counts_until_it_is_too_old()
    {
        Exchange(at: 100 * Second, offset: 0, way: 100_000);
        Exchange(at: 101 * Second, offset: 0, way: 50_000_000);
        Assert.InRange(_clock.BoundNs!.Value, 100_000, 100_000 + 270_000); // 250 ppm of somewhat more than a second
    }

    [Fact]
    public void A_clock_that_was_set_makes_older_samples_worthless()
    {
        Exchange(at: 100 * Second, offset: 0, way: 100_000);
        Exchange(at: 105 * Second, offset: 5 * Second, way: 1_000_000);
        Assert.InRange(_clock.OffsetNs!.Value, (5 * Second) - _clock.BoundNs!.Value, (5 * Second) + _clock.BoundNs.Value);
    }

    [Fact]
    public void Made_up_numbers_are_no_sample()
    {
        _clock.Add(long.MaxValue, long.MinValue, long.MaxValue, long.MinValue);
        Assert.Null(_clock.OffsetNs);
    }

    private void Exchange(long at, long offset, long way) => _clock.Add(at + offset, at + way, at + way, at + way + way + offset);
}
