using NftCluster.Node.Nftables;

namespace NftCluster.Tests.Node.Nftables;

/// <summary>Since when chains that are not traced yet can have judged.</summary>
public sealed class FollowedRulesetTests
{
    private readonly FollowedRuleset _followed = new();

    [Fact]
    public void Before_the_first_ruleset_nobody_waits_for_verdicts()
    {
        _followed.Apply(new GenerationConfirmed(1, 10, 11));

        Assert.Null(_followed.SinceNs);
    }

    [Fact]
    public void The_last_moment_at_which_the_followed_one_was_in_force_counts()
    {
        _followed.Follow(1, readAskedNs: 10);
        _followed.Apply(new GenerationConfirmed(1, 50, 51));
        _followed.Apply(new GenerationConfirmed(2, 60, 61));
        _followed.Apply(new GenerationConfirmed(3, 70, 71));

        Assert.Equal(50, _followed.SinceNs);
    }

    [Fact]
    public void From_the_next_one_on_its_own_moments_count()
    {
        _followed.Follow(1, readAskedNs: 10);
        _followed.Follow(2, readAskedNs: 80);
        _followed.Apply(new GenerationConfirmed(1, 90, 91));

        Assert.Equal(80, _followed.SinceNs);
    }
}
