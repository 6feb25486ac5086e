using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using NftCluster.Node.Nftables;

namespace NftCluster.Cli.Rules;

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
