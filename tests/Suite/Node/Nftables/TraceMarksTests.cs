using NftCluster.Lab;
using NftCluster.Node.Kernel.Filter;
using NftCluster.Node.Nftables;
using NftCluster.Tests.Lab;
using NftCluster.Tests.Node.Kernel.Filter;

namespace NftCluster.Tests.Node.Nftables;

/// <summary>What our table marks is what the sessions' filters can match, and never less.</summary>
public sealed class TraceMarksTests
{
    private static readonly Ruleset _plain = new(1, [], []);

    [Fact]
    public void Without_sessions_nothing_is_marked() => Assert.Equal(TraceMarks.Nothing, TraceMarks.For([], _plain));

    [Fact]
    public void One_session_that_may_match_anything_marks_everything() =>
        Assert.Equal(TraceMarks.Everything, TraceMarks.For([Shapes("udp port 53"), null], _plain));

    [Fact]
    public void Until_the_ruleset_is_known_everything_is_marked() => Assert.Equal(TraceMarks.Everything, TraceMarks.For([Shapes("udp port 53")], null));

    [Fact]
    public void Filters_of_several_sessions_are_marked_each()
    {
        var marks = TraceMarks.For([Shapes("src host 10.3.0.2"), Shapes("dst host 10.3.0.3")], _plain);

        Assert.Contains("@nh,96,32 0xa030002", marks.Received, StringComparison.Ordinal);
        Assert.Contains("@nh,128,32 0xa030003", marks.Received, StringComparison.Ordinal);
        Assert.DoesNotContain("ct status", marks.Received, StringComparison.Ordinal);
    }

    [Fact]
    public void Where_the_ruleset_translates_what_conntrack_translated_is_marked_too()
    {
        RulesetTable table = new(NftFamily.Ip, "nat", 1, 0, 0, null);
        Ruleset nat = new(1, [table], [new RulesetChain(table, "post", 1, new ChainHook("nat", "postrouting", 100, "accept", []), null, [])]);

        var marks = TraceMarks.For([Shapes("host 10.3.0.2")], nat);

        Assert.Contains("ct status snat,dnat meta nftrace set 1 accept", marks.Received, StringComparison.Ordinal);
        Assert.Contains("ct status snat,dnat meta nftrace set 1 accept", marks.Sent, StringComparison.Ordinal);
    }

    [Fact]
    public void Of_what_the_host_sends_whatever_may_be_a_tunnel_is_marked() =>
        Assert.StartsWith("ip protocol != tcp meta nftrace set 1 accept; ip6 nexthdr != tcp meta nftrace set 1 accept; ", TraceMarks.For([Shapes("host 10.3.0.2")], _plain).Sent, StringComparison.Ordinal);

    /// <summary>Every filter that the suite knows.</summary>
    [Fact]
    public void Nft_takes_the_rules_of_every_filter()
    {
        Root.Required();
        using NftNetwork network = new();
        TracingTables tables = new("1-test");
        foreach (string expression in FilterExpressions.All)
        {
            var marks = TraceMarks.For([FilterShapes.Of(FilterTranslator.Translate(FilterCompiler.Compile(expression)))], _plain);
            network.Nft(tables.Inet(marks).Commands.Replace("flags owner;", "", StringComparison.Ordinal));
        }
        Assert.Equal(0, Tool.Run("ip", ["netns", "exec", network.Name, "nft", "delete table inet nftcluster-1-test"]).ExitCode);
    }

    private static IReadOnlyList<PacketShape>? Shapes(string expression) => FilterShapes.Of(FilterTranslator.Translate(FilterCompiler.Compile(expression)));
}
