using NftCluster.Messages;

namespace NftCluster.Tests.Messages;

public sealed class TraceTimeTests
{
    [Fact]
    public void Every_time_is_read_as_it_was_written()
    {
        Random random = new(3);
        for (int i = 0; i < 1_000; i++)
        {
            long ns = random.NextInt64(9_000_000_000_000_000_000);
            Assert.True(TraceTime.TryParse(TraceTime.Format(ns), out long read));
            Assert.Equal(ns, read);
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("2025-01-31T14:03:08Z")]
    [InlineData("2025-02-30T14:03:08.000000000Z")]
    [InlineData("2025-01-31T24:03:08.000000000Z")]
    [InlineData("2025-01-31T14:03:08.00000000xZ")]
    public void Another_form_is_not_a_time(string text) => Assert.False(TraceTime.TryParse(text, out _));
}
