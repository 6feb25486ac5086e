using NftCluster.Node.Nftables;
using NftCluster.Tests.Lab;

namespace NftCluster.Tests.Node.Nftables;

/// <summary>Our tables stand where the user has chains, and nowhere else.</summary>
public sealed class TracingTablesTests
{
    private readonly TracingTables _tables = new("1-test");

    [Fact]
    public void Where_only_IP_is_judged_the_table_of_inet_is_enough()
    {
        Root.Required();
        using NftNetwork network = new();
        network.Nft("table inet t { chain c { type filter hook forward priority 0; }; }; table bridge unhooked { chain c { }; }");

        Assert.Empty(_tables.MissingIn(network.Read()));
    }

    [Fact]
    public void Each_family_with_hooked_chains_gets_its_tables_once()
    {
        Root.Required();
        using NftNetwork network = new();
        network.Nft("table bridge t { chain c { type filter hook forward priority 0; }; }; table arp t { chain c { type filter hook input priority 0; }; }");

        string[] made = Make(network);

        Assert.Equal(["arp nftcluster-1-test", "arp nftcluster_1-test", "bridge nftcluster-1-test", "bridge nftcluster_1-test"], made.Order(StringComparer.Ordinal), StringComparer.Ordinal);
        Assert.Empty(_tables.MissingIn(network.Read()));
    }

    [Theory]
    [InlineData("netdev")]
    [InlineData("inet")]
    public void A_chain_on_a_device_gets_one_on_the_same_device(string family)
    {
        Root.Required();
        using NftNetwork network = new();
        network.Nft($"table {family} t {{ chain c {{ type filter hook ingress device \"lo\" priority 0; }}; }}");

        Assert.Equal("netdev nftcluster-1-test", Assert.Single(Make(network)));

        Assert.Empty(_tables.MissingIn(network.Read()));
        Assert.Contains("hook ingress device \"lo\" priority -2000000", network.List(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_chain_on_another_device_later_makes_the_table_anew_and_only_once()
    {
        Root.Required();
        using NftNetwork network = new();
        network.Nft("table netdev t { chain c { type filter hook egress device \"lo\" priority 0; }; }");
        _ = Make(network);
        Assert.Equal(0, NftCluster.Lab.Tool.Run("ip", ["-n", network.Name, "link", "add", "d0", "type", "veth", "peer", "name", "d1"]).ExitCode);
        network.Nft("table netdev t { chain d { type filter hook egress device \"d0\" priority 0; }; }");

        Assert.Equal("netdev nftcluster_1-test", Assert.Single(Make(network)));

        Assert.Empty(_tables.MissingIn(network.Read()));
        RulesetChain ours = Assert.Single(network.Read().Chains, chain => chain.Table.IsOurs);
        Assert.Equal(("d0 lo", 1), (string.Join(' ', ours.Hook!.Devices.Order(StringComparer.Ordinal)), ours.Rules.Count));
    }

    /// <summary>Without the owner: a context of each command's own takes its tables along.</summary>
    private string[] Make(NftNetwork network)
    {
        TracingTable[] missing = [.. _tables.MissingIn(network.Read())];
        foreach (TracingTable table in missing)
        {
            network.Nft(table.Commands.Replace("flags owner;", "", StringComparison.Ordinal));
        }
        return [.. missing.Select(table => $"{NftNames.Of(table.Family)} {table.Name}")];
    }
}
