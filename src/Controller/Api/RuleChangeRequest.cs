using NftCluster.Controller.Sessions;
using NftCluster.Messages.Link;

namespace NftCluster.Controller.Api;

/// <summary>The body of <c>POST /api/nodes/{id}/rules</c>: one change of a node's ruleset.</summary>
internal sealed record RuleChangeRequest
{
    private const int LongestConfirmSeconds = 24 * 3600;
    private const int MostScriptCharacters = 1 << 20;

    /// <summary>add, insert, replace, delete, apply, undo or confirm.</summary>
    public required string Action { get; init; }

    /// <summary>inet, ip, ip6, arp, bridge or netdev; with <see cref="Table"/> and <see cref="Chain"/> where the rule is.</summary>
    public string? Family { get; init; }

    public string? Table { get; init; }

    public string? Chain { get; init; }

    /// <summary>add, insert, replace: the rule as nft(8) writes it.</summary>
    public string? Rule { get; init; }

    /// <summary>replace, delete: the rule's handle.</summary>
    public ulong? Handle { get; init; }

    /// <summary>add: behind the rule with this handle. Default: the chain's end.</summary>
    public ulong? After { get; init; }

    /// <summary>insert: before the rule with this handle. Default: the chain's begin.</summary>
    public ulong? Before { get; init; }

    /// <summary>apply: what <c>nft -f</c> would read.</summary>
    public string? Script { get; init; }

    /// <summary>Undone by itself after so many seconds unless <c>confirm</c> comes.</summary>
    public int? ConfirmSeconds { get; init; }

    /// <summary>undo: the change. Default: the newest.</summary>
    public string? Id { get; init; }

    /// <summary>undo: also where somebody else has changed the same tables since.</summary>
    public bool Force { get; init; }

    /// <summary>apply: also where a table could not be brought back.</summary>
    public bool NoUndo { get; init; }

    /// <summary>What is wrong with it, or null.</summary>
    public CommandError? Wrong()
    {
        string[]? needed = Action switch
        {
            "add" or "insert" => ["family", "table", "chain", "rule"],
            "replace" => ["family", "table", "chain", "handle", "rule"],
            "delete" => ["family", "table", "chain", "handle"],
            "apply" => ["script"],
            "undo" or "confirm" => [],
            _ => null,
        };
        if (needed is null)
        {
            return Invalid("action", "add, insert, replace, delete, apply, undo or confirm is needed");
        }
        (string Name, bool IsGiven, string[] For)[] fields =
        [
            ("family", Family is { Length: > 0 }, ["add", "insert", "replace", "delete"]),
            ("table", Table is { Length: > 0 }, ["add", "insert", "replace", "delete"]),
            ("chain", Chain is { Length: > 0 }, ["add", "insert", "replace", "delete"]),
            ("rule", Rule is { Length: > 0 }, ["add", "insert", "replace"]),
            ("handle", Handle is > 0, ["replace", "delete"]),
            ("after", After is not null, ["add"]),
            ("before", Before is not null, ["insert"]),
            ("script", Script is { Length: > 0 }, ["apply"]),
            ("confirm_seconds", ConfirmSeconds is not null, ["add", "insert", "replace", "delete", "apply"]),
            ("id", Id is not null, ["undo"]),
            ("force", Force, ["undo"]),
            ("no_undo", NoUndo, ["apply"]),
        ];
        foreach ((string name, bool isGiven, string[] actions) in fields)
        {
            if (needed.Contains(name) && !isGiven)
            {
                return Invalid(name, $"{Action} needs it");
            }
            if (isGiven && !actions.Contains(Action))
            {
                return Invalid(name, $"{Action} does not know it: leave it out");
            }
        }
        return ConfirmSeconds is < 1 or > LongestConfirmSeconds ? Invalid("confirm_seconds", $"a number from 1 to {LongestConfirmSeconds} is needed")
            : Script?.Length > MostScriptCharacters ? Invalid("script", $"at most {MostScriptCharacters} characters can be sent: apply it on the host (nftcluster rules apply)")
            : null;
    }

    public RuleChange ToOrder(string author) => new()
    {
        Author = author,
        Action = Action,
        Family = Family ?? "",
        Table = Table ?? "",
        Chain = Chain ?? "",
        Rule = Rule ?? "",
        Handle = Handle ?? 0,
        Anchor = After ?? Before ?? 0,
        Script = Script ?? "",
        ConfirmS = (uint)(ConfirmSeconds ?? 0),
        ChangeId = Id ?? "",
        Force = Force,
        WithoutUndo = NoUndo,
    };

    private static CommandError Invalid(string field, string why) => new(CommandError.Invalid, field, why);
}
