using NftCluster.Node.Kernel;
using NftCluster.Node.Nftables;
using NftCluster.Tests.Lab;

namespace NftCluster.Tests.Node.Nftables;

/// <summary>What switches the kernel's tracing on for probes, in a namespace of its own; and what is left of others.</summary>
public sealed class ArmingTableTests
{
    [Fact]
    public void It_stands_through_another_s_flush_and_goes_with_its_owner()
    {
        Root.Required();
        using NftNetwork network = new();
        using (ArmingTable table = NetworkNamespace.Run(network.Path, ArmingTable.Open))
        {
            network.Nft("flush ruleset");

            RulesetChain chain = Assert.Single(network.Read().Chains);
            Assert.Equal((true, true, null, "meta nftrace set 1"), (chain.Table.IsOurs, chain.Table.IsOwned, chain.Hook, Assert.Single(chain.Rules).Text));
        }

        Assert.Empty(network.Read().Tables);
    }

    [Fact]
    public void It_is_made_anew_where_it_is_gone_and_left_alone_where_it_stands()
    {
        Root.Required();
        using NftNetwork network = new();
        using ArmingTable table = NetworkNamespace.Run(network.Path, ArmingTable.Open);
        Ruleset before = network.Read();

        Assert.Equal(Following.Stood, table.Follow(before));
        Assert.Equal(before.Generation, network.Read().Generation);
        Ruleset without = new(before.Generation, [], [], []);
        Assert.Equal(Following.Remade, table.Follow(without));

        Ruleset after = network.Read();
        Assert.NotEqual(before.Generation, after.Generation);
        Assert.Single(Assert.Single(after.Chains).Rules);
        // A reading that was under way when the table was made: it lacks it, and says nothing of now.
        Assert.Equal(Following.Outdated, table.Follow(without));
        Assert.Equal(after.Generation, network.Read().Generation);
    }

    [Fact]
    public void Tables_of_processes_that_are_no_more_are_swept_and_others_are_not()
    {
        Root.Required();
        using NftNetwork network = new();
        network.Nft("add table inet nftcluster-999999999-dead; add table bridge nftcluster_999999999-dead");
        string[] others = ["filter", "nftcluster", "nftcluster-", "nftcluster-marks", $"nftcluster-{Environment.ProcessId}-alive"];
        foreach (string name in others)
        {
            network.Nft($"add table inet {name}");
        }

        _ = NetworkNamespace.Run(network.Path, () =>
        {
            using var context = NftContext.Open();
            LeftoverTables.Sweep(context);
            return 0;
        });

        Assert.Equal(others.Order(StringComparer.Ordinal), network.Read().Tables.Select(left => left.Name).Order(StringComparer.Ordinal), StringComparer.Ordinal);
    }
}
