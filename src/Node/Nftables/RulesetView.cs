namespace NftCluster.Node.Nftables;

/// <summary>One generation of the ruleset as public JSON: the command line, the node and the API give the same.</summary>
internal sealed record RulesetView(uint Generation, IReadOnlyList<TableView> Tables)
{
    public static RulesetView Of(Ruleset ruleset) => new(ruleset.Generation, [.. ruleset.Tables.Select(table => new TableView(
        NftNames.Of(table.Family), table.Name, table.Handle, table.IsOwned, table.IsDormant, table.Comment,
        [.. ruleset.ChainsOf(table).Select(ChainView.Of)]))]);
}

internal sealed record TableView(string Family, string Name, ulong Handle, bool Owned, bool Dormant, string? Comment, IReadOnlyList<ChainView> Chains);

internal sealed record ChainView(string Name, ulong Handle, string? Type, string? Hook, int? Priority, string? Policy, IReadOnlyList<string> Devices, string? Comment, IReadOnlyList<RuleView> Rules)
{
    public static ChainView Of(RulesetChain chain) => new(
        chain.Name, chain.Handle, chain.Hook?.Type, chain.Hook?.Hook, chain.Hook?.Priority, chain.Hook?.Policy, chain.Hook?.Devices ?? [], chain.Comment,
        [.. chain.Rules.Select(rule => new RuleView(rule.Handle, rule.Position, rule.Text, rule.Comment))]);
}

internal sealed record RuleView(ulong Handle, int Position, string? Text, string? Comment);
