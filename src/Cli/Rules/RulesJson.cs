using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using NftCluster.Node.Nftables;

namespace NftCluster.Cli.Rules;

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

/// <summary>One rule with its place, for <c>rules show -o json</c>.</summary>
internal sealed record PlacedRuleView(uint Generation, string Family, string Table, ChainView Chain, RuleView Rule);

/// <summary>One line of <c>rules watch -o json</c>.</summary>
internal sealed record ChangeView(string Time, uint Generation, IReadOnlyList<ChangeAuthorView> By, IReadOnlyList<string> Removed, IReadOnlyList<string> Added);

internal sealed record ChangeAuthorView(uint Generation, string? Process, int Pid);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(RulesetView))]
[JsonSerializable(typeof(PlacedRuleView))]
[JsonSerializable(typeof(ChangeView))]
internal sealed partial class RulesJson : JsonSerializerContext
{
    /// <summary>Rules are full of quotation marks and braces, and no browser reads this: they stay readable.</summary>
    public static RulesJson Readable { get; } = new(new JsonSerializerOptions
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
    });
}
