namespace NftCluster.Node.Kernel.Probes;

/// <summary>Reads `--probes all | light | nft | five | name,name…`, and says what was probably meant when a name is unknown.</summary>
internal static class ProbeSelection
{
    /// <summary>The chosen rows in the catalog's order, or one line that says what is wrong.</summary>
    public static bool TryParse(string text, out IReadOnlyList<ProbeDefinition> rows, out string? error)
    {
        HashSet<ProbeDefinition> chosen = [];
        foreach (string part in text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            IReadOnlyList<ProbeDefinition> found = Find(part);
            if (found.Count == 0)
            {
                rows = [];
                error = $"unknown probe '{part}'{Suggest(part)} (list them: nftcluster probes)";
                return false;
            }

            chosen.UnionWith(found);
        }

        rows = [.. ProbeCatalog.All.Where(chosen.Contains)];
        error = rows.Count == 0 ? "no probe named: give all, light, nft, five, or names separated by commas (list them: nftcluster probes)" : null;
        return error is null;
    }

    /// <summary>A bare name that is both a tracepoint and a function means the tracepoint, which every kernel allows; and a function, not its return.</summary>
    private static IReadOnlyList<ProbeDefinition> Find(string name)
    {
        switch (name)
        {
            case "all":
                return ProbeCatalog.All;
            case "light":
                return ProbeCatalog.Light;
            case "nft":
                return ProbeCatalog.Nft;
            case "five":
                return ProbeCatalog.Five;
        }

        ProbeDefinition? row = ProbeCatalog.All.FirstOrDefault(row => row.QualifiedName == name)
            ?? ProbeCatalog.All.Where(row => row.Name == name).OrderBy(row => row.Kind == ProbeKind.Return).ThenByDescending(row => row.Kind).FirstOrDefault();
        return row is null ? [] : [row];
    }

    private static string Suggest(string name)
    {
        IEnumerable<string> candidates = ProbeCatalog.All.Select(row => row.Name).Concat(["all", "light", "nft", "five"]).Distinct(StringComparer.Ordinal);
        string bare = name[(name.IndexOf(':', StringComparison.Ordinal) + 1)..];
        (string best, int distance) = candidates
            .Select(candidate => (candidate, Distance(bare, candidate)))
            .MinBy(pair => pair.Item2);
        if (distance <= Math.Max(1, bare.Length / 3))
        {
            return $": did you mean {best}?";
        }

        string? longer = bare.Length < 4
            ? null
            : candidates.FirstOrDefault(candidate => candidate.Contains(bare, StringComparison.OrdinalIgnoreCase));
        return longer is null ? "" : $": did you mean {longer}?";
    }

    /// <summary>Levenshtein's distance, in one row.</summary>
    private static int Distance(string left, string right)
    {
        int[] row = [.. Enumerable.Range(0, right.Length + 1)];
        for (int i = 1; i <= left.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= right.Length; j++)
            {
                int substituted = diagonal + (char.ToLowerInvariant(left[i - 1]) == char.ToLowerInvariant(right[j - 1]) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(substituted, Math.Min(row[j], row[j - 1]) + 1);
            }
        }

        return row[right.Length];
    }
}
