namespace NftCluster.Tests.Truth;

public sealed class ByteRangesTests
{
    [Fact]
    public void The_same_bytes_in_other_segments_are_the_same_ranges()
    {
        Assert.Equal(Of((100, 3000)).Covered(), Of((100, 1000), (2100, 1000), (1100, 1000)).Covered());
    }

    [Fact]
    public void A_hole_shows()
    {
        Assert.Equal([(0, 10, 1), (20, 30, 1)], Of((0, 10), (20, 10)).Covered());
    }

    [Fact]
    public void Bytes_that_passed_twice_show()
    {
        Assert.Equal([(0, 10, 1), (10, 15, 2), (15, 30, 1)], Of((0, 30), (10, 5)).Covered());
    }

    [Fact]
    public void Sequence_numbers_wrap()
    {
        Assert.Equal([(0, 30, 1)], Of((uint.MaxValue - 9, 20), (10, 10)).Covered());
    }

    [Fact]
    public void Segments_without_bytes_leave_nothing()
    {
        Assert.Empty(Of((5, 0)).Covered());
    }

    private static ByteRanges Of(params (uint Seq, int Length)[] segments)
    {
        var ranges = new ByteRanges();
        foreach ((uint seq, int length) in segments)
        {
            ranges.Add(seq, length);
        }
        return ranges;
    }
}
