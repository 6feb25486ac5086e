namespace NftCluster.Node.Nftables.Changes;

/// <summary>The kinds of changes, as the user names them.</summary>
internal enum ChangeAction
{
    Add,
    Insert,
    Replace,
    Delete,
    Apply,
}

/// <summary>A change before it is made: the commands for nft, and for a single rule where it is.</summary>
internal sealed record ChangePlan(ChangeAction Action, string Command, string Script)
{
    /// <summary>The chain of an added rule, the place of a replaced or deleted one; null for a file.</summary>
    public RulePlace? Place { get; init; }

    /// <summary>What the user calls the script in messages; null when it is no file.</summary>
    public string? FileName { get; init; }

    /// <summary>Also where a table could not be brought back.</summary>
    public bool WithoutUndo { get; init; }

    /// <summary>Behind the rule with this handle, or at the chain's end.</summary>
    public static ChangePlan Add(RulesetChain chain, string text, ulong? after, string command) =>
        Make(ChangeAction.Add, chain, $"add rule {chain}{(after is null ? "" : $" position {after}")} {Rule(text)}", command, 0);

    /// <summary>Before the rule with this handle, or at the chain's begin.</summary>
    public static ChangePlan Insert(RulesetChain chain, string text, ulong? before, string command) =>
        Make(ChangeAction.Insert, chain, $"insert rule {chain}{(before is null ? "" : $" position {before}")} {Rule(text)}", command, 0);

    public static ChangePlan Replace(RulesetChain chain, ulong handle, string text, string command) =>
        Make(ChangeAction.Replace, chain, $"replace rule {chain} handle {handle} {Rule(text)}", command, handle);

    public static ChangePlan Delete(RulesetChain chain, ulong handle, string command) =>
        Make(ChangeAction.Delete, chain, $"delete rule {chain} handle {handle}", command, handle);

    public static ChangePlan Apply(string fileName, string content, string command, bool withoutUndo) =>
        new(ChangeAction.Apply, command, content) { FileName = fileName, WithoutUndo = withoutUndo };

    private static ChangePlan Make(ChangeAction action, RulesetChain chain, string script, string command, ulong handle) =>
        chain.Table.IsOurs ? throw new RuleChangeException($"{chain.Table} is NftCluster's own tracing: it goes with the session")
        : chain.Table.IsOwned ? throw new RuleChangeException($"{chain.Table} belongs to another program (flag owner, netlink port {chain.Table.OwnerPort}, mostly its process id): only that program can change it")
        : new ChangePlan(action, command, script) { Place = Ruleset.PlaceOf(chain, handle) };

    /// <summary>One rule and nothing behind it.</summary>
    private static string Rule(string text)
    {
        bool quoted = false;
        foreach (char c in text)
        {
            quoted ^= c == '"';
            if (c == '\n' || (!quoted && c is ';' or '#'))
            {
                throw new RuleChangeException($"this is more than one rule: leave out {(c == '\n' ? "the line break" : $"'{c}'")}, or use rules apply");
            }
        }
        return text.Trim() is { Length: > 0 } rule && !quoted ? rule
            : throw new RuleChangeException(quoted ? "the rule has a quotation mark without its partner: put the whole rule into '…'" : "the rule is empty: give one, for example: tcp dport 22 accept");
    }
}
