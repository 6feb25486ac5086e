using System.Globalization;
using System.Text.RegularExpressions;

namespace NftCluster.Tests.Truth;

/// <summary>What <c>nft -s -a list ruleset</c> printed: the text of each rule by its handle, and the handle by its comment.</summary>
internal sealed partial class NftListing
{
    private readonly Dictionary<(string Family, string Table, string Chain, long Handle), string> _texts = [];
    private readonly Dictionary<string, (string Chain, long Handle)> _labels = new(StringComparer.Ordinal);

    public NftListing(string listing)
    {
        (string family, string table, string chain) = ("", "", "");
        foreach (string line in listing.Split('\n'))
        {
            if (Table().Match(line) is { Success: true } t)
            {
                (family, table) = (t.Groups["first"].Value, t.Groups["second"].Value);
            }
            else if (Chain().Match(line) is { Success: true } c)
            {
                chain = c.Groups["first"].Value;
            }
            else if (Rule().Match(line) is { Success: true } r)
            {
                long handle = long.Parse(r.Groups["second"].Value, CultureInfo.InvariantCulture);
                string text = r.Groups["first"].Value;
                _texts.Add((family, table, chain, handle), text);
                if (Label().Match(text) is { Success: true } label)
                {
                    _labels.Add(label.Groups["first"].Value, ($"{family} {table} {chain}", handle));
                }
            }
        }
    }

    public string? TextOf(NftStep step) => _texts.GetValueOrDefault((step.Family, step.Table, step.Chain, step.Handle ?? 0));

    /// <summary>
    /// Steps written down by hand, a line per stretch in one chain: <c>inet filter forward | f-count continue | f-vmap jump web</c>.
    /// A step is the rule's comment and its verdict, <c>policy accept</c>, or <c>end</c> where a chain ends without a verdict.
    /// </summary>
    public IReadOnlyList<NftStep> Read(string written)
    {
        List<NftStep> steps = [];
        foreach (string line in written.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            string[] parts = line.Split('|', StringSplitOptions.TrimEntries);
            string[] chain = parts[0].Split(' ');
            steps.AddRange(parts.Skip(1).Select(part => Step(chain, part.Split(' ', 2))));
        }
        return steps;
    }

    private NftStep Step(string[] chain, string[] words)
    {
        if (words[0] is NftStep.End or NftStep.Policy)
        {
            return new NftStep(chain[0], chain[1], chain[2], words[0], null, words.ElementAtOrDefault(1) ?? "continue");
        }
        (string place, long handle) = _labels[words[0]];
        Assert.Equal(string.Join(' ', chain), place);
        return new NftStep(chain[0], chain[1], chain[2], NftStep.Rule, handle, words[1]);
    }

    [GeneratedRegex(@"^table (?<first>\S+) (?<second>\S+) \{", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex Table();

    [GeneratedRegex(@"^\tchain (?<first>\S+) \{", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex Chain();

    [GeneratedRegex(@"^\t\t(?<first>\S.*) # handle (?<second>\d+)$", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex Rule();

    [GeneratedRegex("comment \"(?<first>[^\"]+)\"$", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex Label();
}
