namespace NftCluster.Node.Nftables;

/// <summary>
/// Takes the text of each rule out of <c>nft -a list ruleset</c>, guided by the structure the kernel dumped: only what is known to be
/// there is looked for, in the kernel's order. So names, comments and log prefixes may hold anything, line breaks and "# handle 7" too.
/// <code>
/// table inet filter { # handle 1
/// 	chain input { # handle 2
/// 		comment "…"                                   if the chain has one
/// 		type filter hook input priority filter; …     if it is a base chain
/// 		tcp dport 22 accept # handle 5
/// 	}
/// </code>
/// </summary>
internal static class RulesetListing
{
    private const string Indent = "\t\t";
    private const string ChainEnd = "\t}\n";
    private const string HandleMark = " # handle ";
    private const string TableMark = " { # handle ";
    private const int Doubtful = -1;

    /// <summary>The rules of every chain, in the structure's order of chains; texts are null where the listing is in doubt.</summary>
    public static IReadOnlyList<RulesetRule>[] Texts(RulesetStructure structure, string listing)
    {
        Dictionary<(string Table, string Chain), int> bodies = ChainBodies(listing);
        var all = new IReadOnlyList<RulesetRule>[structure.Chains.Count];
        for (int i = 0; i < all.Length; i++)
        {
            RulesetStructure.ChainHead chain = structure.Chains[i];
            IReadOnlyList<RulesetStructure.RuleHead> heads = structure.RulesOf(chain);
            int at = heads.Count == 0 ? Doubtful
                : bodies.GetValueOrDefault(($"table {NftNames.Of(chain.Family)} {chain.Table}", $"\tchain {chain.Name} {{{HandleMark}{chain.Handle}"), Doubtful);
            string[]? texts = at == Doubtful ? null : TextsOf(heads, listing, PastDeclaration(chain, listing, at));
            all[i] = [.. heads.Select((head, position) => new RulesetRule(head.Handle, position, texts?[position], head.Comment))];
        }
        return all;
    }

    /// <summary>The place behind each chain's first line, by table and line; one that occurs twice (a forged line in a comment) is in doubt.</summary>
    private static Dictionary<(string Table, string Chain), int> ChainBodies(string listing)
    {
        Dictionary<(string, string), int> bodies = [];
        HashSet<string> tables = [];
        string table = "";
        bool repeated = false;
        for (int at = 0, next; at < listing.Length; at = next)
        {
            next = listing.IndexOf('\n', at) is var end and >= 0 ? end + 1 : listing.Length;
            ReadOnlySpan<char> line = listing.AsSpan(at, next - at).TrimEnd('\n');
            if (line.StartsWith("table ") && line.LastIndexOf(TableMark) is var mark and >= 0)
            {
                table = line[..mark].ToString();
                repeated = !tables.Add(table);
            }
            else if (line.StartsWith("\tchain "))
            {
                string chain = line.ToString();
                bodies[(table, chain)] = repeated || bodies.ContainsKey((table, chain)) ? Doubtful : next;
            }
        }
        return bodies;
    }

    /// <summary>Where the first rule of the chain begins.</summary>
    private static int PastDeclaration(RulesetStructure.ChainHead chain, string listing, int at)
    {
        if (chain.Comment is not null)
        {
            at = Past(listing, at, $"{Indent}comment \"{chain.Comment}\"\n");
        }
        if (at != Doubtful && chain.Hook is { } hook)
        {
            at = Past(listing, at, $"{Indent}type {hook.Type} hook {hook.Hook} ");
            at = at == Doubtful || listing.IndexOf('\n', at) is not (var end and >= 0) ? Doubtful : end + 1;
        }
        return at;
    }

    private static int Past(string listing, int at, string expected) =>
        string.CompareOrdinal(listing, at, expected, 0, expected.Length) == 0 ? at + expected.Length : Doubtful;

    /// <summary>Rule after rule up to the chain's closing brace; null when they do not fit.</summary>
    private static string[]? TextsOf(IReadOnlyList<RulesetStructure.RuleHead> heads, string listing, int at)
    {
        string[] texts = new string[heads.Count];
        for (int i = 0; i < texts.Length; i++)
        {
            string mark = $"{HandleMark}{heads[i].Handle}\n";
            int end = at == Doubtful || Past(listing, at, Indent) == Doubtful ? Doubtful : listing.IndexOf(mark, at, StringComparison.Ordinal);
            if (end == Doubtful)
            {
                return null;
            }
            texts[i] = listing[(at + Indent.Length)..end];
            at = end + mark.Length;
        }
        return Past(listing, at, ChainEnd) == Doubtful ? null : texts;
    }
}
