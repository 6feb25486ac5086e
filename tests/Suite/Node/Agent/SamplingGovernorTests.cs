using NftCluster.Node.Agent;

namespace NftCluster.Tests.Node.Agent;

public sealed class SamplingGovernorTests
{
    [Fact]
    public void Within_its_budget_a_session_keeps_every_packet()
    {
        SamplingGovernor governor = new();
        governor.Look(900, 1_000, 50, 0);

        Assert.Equal((0UL, null), (governor.Threshold, governor.Reason));
    }

    [Fact]
    public void Beyond_it_what_is_kept_is_halved_until_it_fits_and_the_reason_is_said()
    {
        SamplingGovernor governor = new();
        governor.Look(4_500, 1_000, 0, 0);
        Assert.Equal(1UL << 62, governor.Threshold);
        governor.Look(1_100, 1_000, 0, 0);

        Assert.Equal((1UL << 61, "events per second"), (governor.Threshold, governor.Reason));
    }

    [Fact]
    public void After_ten_calm_looks_more_is_kept_again()
    {
        SamplingGovernor governor = new();
        governor.Look(0, 0, 90, 60);
        Assert.Equal((1UL << 63, "CPU"), (governor.Threshold, governor.Reason));
        for (int look = 0; look < 10; look++)
        {
            governor.Look(0, 0, 20, 60);
        }

        Assert.Equal((0UL, null), (governor.Threshold, governor.Reason));
    }

    [Fact]
    public void The_lower_of_what_is_asked_for_and_what_the_budget_allows_counts()
    {
        SamplingGovernor governor = new();
        Assert.Equal(7UL, governor.Within(7));
        governor.Look(2_000, 1_000, 0, 0);

        Assert.Equal(7UL, governor.Within(7));
        Assert.Equal(1UL << 63, governor.Within(0));
        Assert.Equal(1UL << 63, governor.Within(ulong.MaxValue));
    }
}
