using NftCluster.Node.Nftables;

namespace NftCluster.Tests.Node.Nftables;

public sealed class RulesetDiffTests
{
    [Fact]
    public void The_same_rules_with_other_handles_are_no_change() =>
        Assert.Empty(RulesetDiff.Between(Of("a", "b"), Of(firstHandle: 50, "a", "b")));

    [Fact]
    public void An_inserted_rule_is_one_line() =>
        Assert.Equal(["+ x"], Lines(Of("a", "b", "c"), Of("a", "x", "b", "c")));

    [Fact]
    public void A_replaced_rule_is_removed_and_added() =>
        Assert.Equal(["- b", "+ x"], Lines(Of("a", "b", "c"), Of("a", "x", "c")));

    [Fact]
    public void A_moved_rule_is_seen() =>
        Assert.Equal(["- a", "+ a"], Lines(Of("a", "b"), Of("b", "a")));

    [Fact]
    public void A_new_table_comes_with_its_chains_and_rules() =>
        Assert.Equal(["+ ip t", "+ ip t c", "+ a"], Lines(Ruleset.Empty, Of("a")));

    [Fact]
    public void A_table_that_went_takes_all_with_it() =>
        Assert.Equal(["- ip t", "- ip t c", "- a"], Lines(Of("a"), Ruleset.Empty));

    private static string[] Lines(Ruleset before, Ruleset after) => [.. RulesetDiff.Between(before, after)
        .Select(change => $"{(change.Kind == ChangeKind.Added ? '+' : '-')} {change.Rule?.Text ?? change.Chain?.ToString() ?? change.Table.ToString()}")];

    private static Ruleset Of(params string[] texts) => Of(1, texts);

    private static Ruleset Of(ulong firstHandle, params string[] texts)
    {
        RulesetTable table = new(NftFamily.Ip, "t", firstHandle, 0, 0, null);
        RulesetRule[] rules = [.. texts.Select((text, i) => new RulesetRule(firstHandle + (ulong)i, i, text, null))];
        return new Ruleset(1, [table], [new RulesetChain(table, "c", 1, null, null, rules)]);
    }
}
