using System.Text;
using NftCluster.Node.Kernel;

namespace NftCluster.Node.Nftables.Changes;

/// <summary>One generation with the text of each table as nft would read it back; taken in the namespace of the calling thread.</summary>
internal sealed record RulesetPicture(Ruleset Rules, IReadOnlyList<TableText> Tables)
{
    private const int MostTries = 50;

    public static RulesetPicture Take()
    {
        using RulesetReader reader = new();
        for (int i = 0; i < MostTries; i++)
        {
            Ruleset rules = reader.Read(RuleTexts.Stateless);
            string full = RulesetReader.Print(NftOutput.None);
            string stateless = RulesetReader.Print(NftOutput.Stateless);
            if (reader.AskGeneration().Generation == rules.Generation)
            {
                return new RulesetPicture(rules, Texts(rules, full, stateless));
            }
        }
        throw new KernelException("the ruleset changes faster than it can be read: try again when the reloads are over");
    }

    public TableText? Find(string key) => Tables.FirstOrDefault(table => table.Key == key);

    /// <summary>The tables that are not in both as they are in the other; owned ones left out, since nobody else can change them.</summary>
    public static IReadOnlyList<string> Differing(IReadOnlyList<TableText> before, IReadOnlyList<TableText> after) =>
    [
        .. before.Concat(after).Where(table => !table.Owned).Select(table => table.Key).Distinct(StringComparer.Ordinal)
            .Where(key => before.FirstOrDefault(t => t.Key == key)?.Stateless != after.FirstOrDefault(t => t.Key == key)?.Stateless),
    ];

    /// <summary>
    /// Puts tables back as they were, in one transaction, and leaves all others alone: no `flush ruleset`.
    /// Counters and set elements come back as they were in the text.
    /// </summary>
    public static string RestoreScript(IEnumerable<TableText> tables) => string.Concat(tables.Select(table =>
        $"add table {table.Key}\ndelete table {table.Key}\n{table.Text}"));

    private static List<TableText> Texts(Ruleset rules, string full, string stateless)
    {
        Dictionary<string, string?> fullBlocks = Blocks(full);
        Dictionary<string, string?> statelessBlocks = Blocks(stateless);
        return
        [
            .. rules.Tables.Where(table => !table.IsOurs).Select(table => new TableText(
                NftNames.Of(table.Family), table.Name, table.IsOwned, fullBlocks.GetValueOrDefault($"{table}"), WithoutLearned(statelessBlocks.GetValueOrDefault($"{table}")))),
        ];
    }

    /// <summary>Elements of sets that packets fill, or that expire, come and go by themselves: no change that anybody made.</summary>
    private static string? WithoutLearned(string? block)
    {
        const string Flags = "\t\tflags ";
        if (block?.Contains(Flags, StringComparison.Ordinal) != true)
        {
            return block;
        }
        StringBuilder kept = new(block.Length);
        (bool learns, bool inElements) = (false, false);
        foreach (string line in block.Split('\n'))
        {
            bool ends = line == "\t}";
            learns = !ends && (learns || (line.StartsWith(Flags, StringComparison.Ordinal) && (line.Contains("dynamic", StringComparison.Ordinal) || line.Contains("timeout", StringComparison.Ordinal))));
            inElements = !ends && (inElements || (learns && line.StartsWith("\t\telements = {", StringComparison.Ordinal)));
            _ = inElements ? kept : kept.Append(line).Append('\n');
        }
        return kept.ToString(0, kept.Length - 1);
    }

    /// <summary>From <c>table FAMILY NAME {</c> to the closing brace, both at the beginning of a line; null for what occurs twice.</summary>
    private static Dictionary<string, string?> Blocks(string listing)
    {
        const string Head = "table ";
        Dictionary<string, string?> blocks = new(StringComparer.Ordinal);
        for (int at = 0; at < listing.Length;)
        {
            int line = listing.IndexOf('\n', at) is var newline and >= 0 ? newline + 1 : listing.Length;
            int brace = listing.LastIndexOf(" {", line - 1, line - at, StringComparison.Ordinal);
            int close = listing.IndexOf("\n}\n", at, StringComparison.Ordinal);
            if (string.CompareOrdinal(listing, at, Head, 0, Head.Length) != 0 || brace < at || close < 0)
            {
                at = line;
                continue;
            }
            int end = close + "\n}\n".Length;
            string key = listing[(at + Head.Length)..brace];
            blocks[key] = blocks.ContainsKey(key) ? null : listing[at..end];
            at = end;
        }
        return blocks;
    }
}
