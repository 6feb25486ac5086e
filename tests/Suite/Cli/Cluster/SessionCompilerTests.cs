using NftCluster.Cli.Cluster;
using NftCluster.Messages;
using NftCluster.Tests.Node.Export;

namespace NftCluster.Tests.Cli.Cluster;

/// <summary>What a session's filter says of a header that a trace keeps.</summary>
public sealed class SessionCompilerTests
{
    [Theory]
    [InlineData("host 10.1.0.2", true)]
    [InlineData("src net 10.2.0.0/16", false)]
    [InlineData("udp dst port 5000", true)]
    [InlineData("udp port 53", false)]
    [InlineData("tcp", false)]
    [InlineData("ip6", false)]
    [InlineData("ip[8] = 63", true)]
    public void A_header_passes_as_the_packet_would(string filter, bool passes)
    {
        PacketSide side = Samples.Side("eth0", 2, 63);

        Assert.Equal(passes, SessionCompiler.Passes(filter)!(side));
    }

    [Fact]
    public void IPv6_headers_are_read_as_such() =>
        Assert.True(SessionCompiler.Passes("ip6 host fd01::2 and udp port 5000")!(Samples.Side("eth0", 2, 63) with { SrcIp = "fd01::2", DstIp = "fd03::2", IpId = null }));

    [Fact]
    public void What_is_no_filter_says_nothing() => Assert.Null(SessionCompiler.Passes("hots 1"));
}
