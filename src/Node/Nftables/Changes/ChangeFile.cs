using System.Text.Json.Serialization;

namespace NftCluster.Node.Nftables.Changes;

/// <summary>How far a change has come.</summary>
internal static class ChangeStatus
{
    /// <summary>Written before the kernel is asked: if the process died there, nobody knows whether it was applied.</summary>
    public const string Prepared = "prepared";
    public const string Applied = "applied";
    public const string Undone = "undone";
}

/// <summary>A table's text before or after a change: as nft prints it, and without counters and learned set elements to compare with. Null: there was none.</summary>
internal sealed record TableText(string Family, string Name, bool Owned, string? Text, string? Stateless)
{
    [JsonIgnore]
    public string Key => $"{Family} {Name}";
}

/// <summary>A rule that has to be there, as it is here, for <see cref="RuleUndo.Script"/> to mean what it meant.</summary>
internal sealed record ExpectedRule(string Family, string Table, string Chain, ulong Handle, string Text);

/// <summary>What takes one rule's change back and touches nothing else: no counters, no learned set elements, no other rule.</summary>
internal sealed record RuleUndo(string Script, IReadOnlyList<ExpectedRule> Expects);

/// <summary>One change as it is kept in the state directory until it is too old: enough to take it back.</summary>
internal sealed record ChangeFile
{
    public required string Id { get; init; }

    public required string Time { get; init; }

    public required string Action { get; init; }

    public required string Command { get; init; }

    public required string Netns { get; init; }

    public required uint NetnsInode { get; init; }

    public required string Status { get; init; }

    /// <summary>Every table before.</summary>
    public required IReadOnlyList<TableText> Before { get; init; }

    /// <summary>Only the tables that the change changed, afterwards; null until it is applied.</summary>
    public IReadOnlyList<TableText>? Changed { get; init; }

    public RuleUndo? Undo { get; init; }
}

/// <summary>A change that is undone by itself unless it is confirmed.</summary>
internal sealed record PendingConfirmation(string Id, int GuardPid, string GuardStarted, string Until, string Netns);

/// <summary>One line of the log: who, when, what, and the lines that went and came.</summary>
internal sealed record ChangeLogEntry
{
    public required string Id { get; init; }

    public required string Time { get; init; }

    public required string Action { get; init; }

    public required string Command { get; init; }

    public required string Netns { get; init; }

    public required Author Who { get; init; }

    public uint? GenerationBefore { get; init; }

    public uint? GenerationAfter { get; init; }

    public int? ConfirmSeconds { get; init; }

    public IReadOnlyList<string> Tables { get; init; } = [];

    public IReadOnlyList<string> Before { get; init; } = [];

    public IReadOnlyList<string> After { get; init; } = [];

    public string? Note { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(ChangeFile))]
[JsonSerializable(typeof(ChangeLogEntry))]
[JsonSerializable(typeof(PendingConfirmation))]
internal sealed partial class ChangeJson : JsonSerializerContext;
