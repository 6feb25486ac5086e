using NftCluster.Controller.Stitching;
using NftCluster.Controller.Storage;

namespace NftCluster.Tests.Controller.Stitching;

public sealed class JoinWindowsTests
{
    private const long Second = 1_000_000_000;
    private const long Margin = 3 * Second;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Windows_cover_every_packet_once_and_lie_side_by_side(bool isForward)
    {
        FrameSpan[] spans = [.. Enumerable.Range(0, 300).Select(i => new FrameSpan(i + 1, i * Second, i * Second + Second / 2, 10)), new FrameSpan(1_000, 900 * Second, 901 * Second, 10)];
        JoinWindows windows = new(spans, Margin);
        (long from, long to) = (0, 2_000 * Second);
        List<(long Begin, long End)> taken = [];
        while (windows.Next(from, to, isForward) is { } window)
        {
            taken.Add((window.BeginNs, window.EndNs));
            Assert.Equal(spans.Where(span => span.LastNs >= window.BeginNs - Margin && span.FirstNs <= window.EndNs + Margin), window.Frames);
            (from, to) = isForward ? (window.EndNs + 1, to) : (from, window.BeginNs - 1);
        }

        taken.Sort();
        Assert.All(taken.Zip(taken.Skip(1)), pair => Assert.True(pair.First.End < pair.Second.Begin));
        Assert.All(spans, span => Assert.Contains(taken, window => span.FirstNs >= window.Begin && span.FirstNs <= window.End));
        Assert.InRange(taken.Count, 5, 15); // longer and longer, and none where nothing was
    }

    [Fact]
    public void A_window_with_too_many_packets_is_cut_short()
    {
        FrameSpan[] spans = [.. Enumerable.Range(0, 600).Select(i => new FrameSpan(i + 1, i * Second / 10, (i + 1) * Second / 10, 2_000))];
        JoinWindows windows = new(spans, Margin);
        long from = 0;
        while (windows.Next(from, long.MaxValue, isForward: true) is { } window)
        {
            Assert.InRange(window.EndNs - window.BeginNs, 0, 32 * Second);
            Assert.True(window.Frames.Sum(frame => frame.Traces) <= 200_000 || window.EndNs - window.BeginNs <= 2 * Second);
            from = window.EndNs + 1;
        }
    }

    [Fact]
    public void Nothing_stored_is_no_window() => Assert.Null(new JoinWindows([], Margin).Next(0, Second, isForward: true));
}
