using NftCluster.Messages;
using NftCluster.Node.Sessions;

namespace NftCluster.Tests.Node.Sessions;

public sealed class LossTimesTests
{
    private static readonly DateTimeOffset _start = new(2025, 1, 31, 14, 0, 0, TimeSpan.Zero);

    private readonly LossTimes _times = new(_start);

    [Fact]
    public void A_loss_lies_between_the_last_look_without_it_and_the_first_that_saw_it()
    {
        Look(1, 0);
        Look(2, 0);
        Look(3, 7);
        Look(4, 7);

        Assert.Equal((7, 2, 3), Look(5, 7));
    }

    [Fact]
    public void A_loss_that_goes_on_has_one_record_that_reaches_to_the_last_growth()
    {
        Look(1, 0);
        Look(2, 5);
        Look(3, 5);
        Look(4, 9);

        Assert.Equal((9, 1, 4), Look(5, 9));
    }

    [Fact]
    public void A_loss_before_the_first_look_begins_with_the_session() => Assert.Equal((3, 0, 6), Look(6, 3));

    [Fact]
    public void What_was_not_lost_has_no_time() => Assert.Equal((0, null, null), Look(1, 0));

    [Fact]
    public void Each_stage_has_its_own_times()
    {
        _times.Look(At(1), ("ring-full", "events", 1), ("orphaned", "events", 0));

        LossRecord[] records = [.. _times.Look(At(2), ("ring-full", "events", 1), ("orphaned", "events", 4))];

        Assert.Equal([(0, 1), (1, 2)], records.Select(r => (Seconds(r.From)!.Value, Seconds(r.To)!.Value)));
    }

    private static DateTimeOffset At(int seconds) => _start.AddSeconds(seconds);

    private static int? Seconds(string? time) => time is null ? null : (int)(DateTimeOffset.Parse(time, System.Globalization.CultureInfo.InvariantCulture) - _start).TotalSeconds;

    private (long Count, int? From, int? To) Look(int second, long count)
    {
        LossRecord record = Assert.Single(_times.Look(At(second), ("ring-full", "events", count)));
        return (record.Count, Seconds(record.From), Seconds(record.To));
    }
}
