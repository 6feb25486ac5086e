using NftCluster.Node.Nftables;

namespace NftCluster.Tests.Node.Nftables;

public sealed class KeptRulesetsTests
{
    [Fact]
    public void The_newest_are_kept_and_the_oldest_go()
    {
        KeptRulesets kept = new();
        for (uint generation = 1; generation <= KeptRulesets.Most + 1; generation++)
        {
            kept.Keep(new Ruleset(generation, [], []));
        }

        Assert.Null(kept.Find(1));
        Assert.Equal(2u, kept.Find(2)?.Generation);
        Assert.Equal((uint)KeptRulesets.Most + 1, kept.Find(KeptRulesets.Most + 1)?.Generation);
    }
}
