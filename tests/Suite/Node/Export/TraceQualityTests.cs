using NftCluster.Messages;
using NftCluster.Node.Export;

namespace NftCluster.Tests.Node.Export;

public sealed class TraceQualityTests
{
    private static readonly TraceRecord _lone = Samples.Bare() with { NftEvents = [] };

    [Fact]
    public void A_lone_event_of_a_packet_whose_rest_was_not_seen_is_not_valuable() => Assert.False(TraceQuality.IsValuable(_lone));

    [Fact]
    public void More_than_one_event_is_valuable() => Assert.True(TraceQuality.IsValuable(Samples.Forwarded()));

    [Fact]
    public void A_lone_drop_is_valuable() => Assert.True(TraceQuality.IsValuable(_lone with { FinalVerdict = "dropped" }));

    [Fact]
    public void A_lone_event_with_an_nft_verdict_is_valuable() => Assert.True(TraceQuality.IsValuable(Samples.Bare()));

    [Fact]
    public void All_keeps_everything()
    {
        Assert.True(TraceQuality.Keeps("all", _lone));
        Assert.False(TraceQuality.Keeps("valuable", _lone));
    }
}
