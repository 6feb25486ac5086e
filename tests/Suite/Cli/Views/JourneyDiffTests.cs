using NftCluster.Cli.Views;
using NftCluster.Messages;
using NftCluster.Tests.Controller.Stitching;
using NftCluster.Tests.Node.Export;

namespace NftCluster.Tests.Cli.Views;

public sealed class JourneyDiffTests
{
    [Fact]
    public void The_first_hop_that_differs_is_told_with_all_that_differs_there()
    {
        JourneyRecord passed = Journey(Hop("r1"), Hop("r2"), Hop("r3"));
        JourneyRecord dropped = Journey(Hop("r1"), Hop("r2") with { Verdict = "dropped", Out = null, Rule = new HopRuleRecord { TraceType = "rule", Family = "inet", Table = "filter", Chain = "forward", Handle = 4, Text = "udp dport 5999 drop" } });

        (int alike, IReadOnlyList<Difference> differences) = JourneyDiff.Hops(passed, dropped);

        Assert.Equal(1, alike);
        Assert.Equal([new Difference("left by", "eth1", null), new Difference("verdict", "forwarded", "dropped"), new Difference("dropped by", null, "inet filter forward rule 4 \"udp dport 5999 drop\"")], differences);
    }

    [Fact]
    public void Another_router_is_a_difference_and_so_is_one_more()
    {
        Assert.Equal([new Difference("router", "r2", "r4")], JourneyDiff.Hops(Journey(Hop("r1"), Hop("r2")), Journey(Hop("r1"), Hop("r4"))).Differences);
        Assert.Equal([new Difference("router", null, "r2")], JourneyDiff.Hops(Journey(Hop("r1")), Journey(Hop("r1"), Hop("r2"))).Differences);
    }

    [Fact]
    public void Times_addresses_and_TTLs_are_no_difference()
    {
        JourneyRecord one = Journey(Hop("r1"));
        JourneyRecord other = Journey(Hop("r1") with { DurationNs = 77, In = new HopSideRecord { Device = "eth0", SrcIp = "10.0.0.9", Ttl = 3 } });

        Assert.Empty(JourneyDiff.Hops(one, other).Differences);
    }

    [Fact]
    public void Inside_a_host_the_first_other_step_is_told()
    {
        TraceRecord one = Samples.Forwarded();
        TraceRecord other = one with { Events = [.. one.Events.Take(3), one.Events[3] with { FuncName = "kfree_skb", Device = null }] };

        (int alike, Difference? first) = JourneyDiff.Steps(one with { NftEvents = [] }, other with { NftEvents = [] });

        Assert.Equal(3, alike);
        Assert.Equal(new Difference("step", "ip_forward on r1c", "kfree_skb"), first);
        Assert.Null(JourneyDiff.Steps(one, one).First);
    }

    private static HopRecord Hop(string node) => JourneySamples.Hop(node);

    private static JourneyRecord Journey(params HopRecord[] hops) => JourneySamples.Of(hops);
}
