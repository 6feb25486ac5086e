namespace NftCluster.Node.Nftables;

internal enum ChangeKind
{
    Added,
    Removed,
}

/// <summary>One line of a difference: a table, a chain with its hook, or a rule; what changed is removed and added.</summary>
internal sealed record RulesetChange(ChangeKind Kind, RulesetTable Table, RulesetChain? Chain, RulesetRule? Rule)
{
    public override string ToString() => this switch
    {
        { Rule: { } rule } => $"{Chain} {rule.Text ?? "(a text that could not be read)"} # handle {rule.Handle}",
        { Chain: { } chain } => $"chain {chain}{(chain.Hook is null ? "" : $" {{ {chain.Hook} }}")}",
        _ => $"table {Table}",
    };
}

/// <summary>What differs between two rulesets, as a reader sees it: a reload that brings the same rules again (with new handles) changes nothing.</summary>
internal static class RulesetDiff
{
    /// <summary>Beyond this product of lengths the order of equal rules is given up for speed.</summary>
    private const long LargestTable = 4_000_000;

    public static IReadOnlyList<RulesetChange> Between(Ruleset before, Ruleset after)
    {
        List<RulesetChange> changes = [];
        var old = before.Tables.ToDictionary(Key);
        var @new = after.Tables.ToDictionary(Key);
        foreach (RulesetTable table in before.Tables.Where(table => !@new.ContainsKey(Key(table))))
        {
            changes.AddRange(Whole(ChangeKind.Removed, before, table));
        }
        foreach (RulesetTable table in after.Tables)
        {
            if (!old.TryGetValue(Key(table), out RulesetTable? was))
            {
                changes.AddRange(Whole(ChangeKind.Added, after, table));
                continue;
            }
            if (was.Flags != table.Flags || was.Comment != table.Comment)
            {
                changes.Add(new RulesetChange(ChangeKind.Removed, was, null, null));
                changes.Add(new RulesetChange(ChangeKind.Added, table, null, null));
            }
            Chains([.. before.ChainsOf(was)], [.. after.ChainsOf(table)], changes);
        }
        return changes;
    }

    private static (NftFamily, string) Key(RulesetTable table) => (table.Family, table.Name);

    private static IEnumerable<RulesetChange> Whole(ChangeKind kind, Ruleset ruleset, RulesetTable table)
    {
        yield return new RulesetChange(kind, table, null, null);
        foreach (RulesetChange change in ruleset.ChainsOf(table).SelectMany(chain => Whole(kind, chain)))
        {
            yield return change;
        }
    }

    private static IEnumerable<RulesetChange> Whole(ChangeKind kind, RulesetChain chain) =>
        chain.Rules.Select(rule => new RulesetChange(kind, chain.Table, chain, rule)).Prepend(new RulesetChange(kind, chain.Table, chain, null));

    private static void Chains(RulesetChain[] before, RulesetChain[] after, List<RulesetChange> changes)
    {
        Dictionary<string, RulesetChain> old = before.ToDictionary(chain => chain.Name, StringComparer.Ordinal);
        HashSet<string> kept = [.. after.Select(chain => chain.Name)];
        changes.AddRange(before.Where(chain => !kept.Contains(chain.Name)).SelectMany(chain => Whole(ChangeKind.Removed, chain)));
        foreach (RulesetChain chain in after)
        {
            if (!old.TryGetValue(chain.Name, out RulesetChain? was))
            {
                changes.AddRange(Whole(ChangeKind.Added, chain));
                continue;
            }
            if (was.Comment != chain.Comment || !(ReferenceEquals(was.Hook, chain.Hook) || was.Hook?.Same(chain.Hook) == true))
            {
                changes.Add(new RulesetChange(ChangeKind.Removed, was.Table, was, null));
                changes.Add(new RulesetChange(ChangeKind.Added, chain.Table, chain, null));
            }
            Rules(was, chain, changes);
        }
    }

    private static void Rules(RulesetChain was, RulesetChain now, List<RulesetChange> changes)
    {
        (IReadOnlyList<RulesetRule> before, IReadOnlyList<RulesetRule> after) = (was.Rules, now.Rules);
        int head = 0;
        while (head < before.Count && head < after.Count && Same(before[head], after[head]))
        {
            head++;
        }
        int tail = 0;
        while (tail < before.Count - head && tail < after.Count - head && Same(before[^(tail + 1)], after[^(tail + 1)]))
        {
            tail++;
        }
        RulesetRule[] old = [.. before.Skip(head).Take(before.Count - head - tail)];
        RulesetRule[] @new = [.. after.Skip(head).Take(after.Count - head - tail)];
        (bool[] keptOld, bool[] keptNew) = (long)old.Length * @new.Length <= LargestTable ? LongestCommon(old, @new) : (new bool[old.Length], new bool[@new.Length]);
        changes.AddRange(old.Where((_, i) => !keptOld[i]).Select(rule => new RulesetChange(ChangeKind.Removed, was.Table, was, rule)));
        changes.AddRange(@new.Where((_, i) => !keptNew[i]).Select(rule => new RulesetChange(ChangeKind.Added, now.Table, now, rule)));
    }

    /// <summary>A text that could not be read equals none.</summary>
    private static bool Same(RulesetRule one, RulesetRule other) => one.Text is not null && one.Text == other.Text;

    private static (bool[] Old, bool[] New) LongestCommon(RulesetRule[] old, RulesetRule[] @new)
    {
        int[,] lengths = new int[old.Length + 1, @new.Length + 1];
        for (int i = old.Length - 1; i >= 0; i--)
        {
            for (int j = @new.Length - 1; j >= 0; j--)
            {
                lengths[i, j] = Same(old[i], @new[j]) ? lengths[i + 1, j + 1] + 1 : Math.Max(lengths[i + 1, j], lengths[i, j + 1]);
            }
        }
        (bool[] keptOld, bool[] keptNew) = (new bool[old.Length], new bool[@new.Length]);
        for (int i = 0, j = 0; i < old.Length && j < @new.Length;)
        {
            if (Same(old[i], @new[j]))
            {
                (keptOld[i++], keptNew[j++]) = (true, true);
            }
            else if (lengths[i + 1, j] >= lengths[i, j + 1])
            {
                i++;
            }
            else
            {
                j++;
            }
        }
        return (keptOld, keptNew);
    }
}
