using NftCluster.Messages;

namespace NftCluster.Cli.Views;

/// <summary>One condition of a display filter, named as the user typed it.</summary>
internal sealed record TraceCondition(string Text, Func<TraceRecord, bool> Matches);

/// <summary>Which traces are shown: those that meet every condition. It never changes what is captured.</summary>
internal sealed class TraceFilter(IReadOnlyList<TraceCondition> conditions)
{
    public static TraceFilter Everything { get; } = new([]);

    public bool IsEmpty => conditions.Count == 0;
    public IReadOnlyList<TraceCondition> Conditions => conditions;

    public bool Matches(TraceRecord trace)
    {
        foreach (TraceCondition condition in conditions)
        {
            if (!condition.Matches(trace))
            {
                return false;
            }
        }

        return true;
    }
}

/// <summary>Remembers how many traces each condition alone let pass, so that an empty result can be explained.</summary>
internal sealed class FilterTally(TraceFilter filter)
{
    private readonly long[] _passed = new long[filter.Conditions.Count];

    public TraceFilter Filter => filter;
    public long Seen { get; private set; }
    public long Matched { get; private set; }

    public bool Matches(TraceRecord trace)
    {
        Seen++;
        bool all = true;
        for (int i = 0; i < _passed.Length; i++)
        {
            if (filter.Conditions[i].Matches(trace))
            {
                _passed[i]++;
            }
            else
            {
                all = false;
            }
        }

        Matched += all ? 1 : 0;
        return all;
    }

    /// <summary>"0 of 1,204 traces match: --host 10.9.9.9 excluded all".</summary>
    public string Explain()
    {
        var names = filter.Conditions.Select((c, i) => (c.Text, Passed: _passed[i])).ToList();
        string[] guilty = [.. names.Where(n => n.Passed == 0).Select(n => n.Text)];
        string why = guilty.Length > 0
            ? $"{string.Join(" and ", guilty)} excluded all"
            : $"none meets all of {string.Join(", ", names.Select(n => $"{n.Text} ({n.Passed:N0} alone)"))}";
        return $"{Matched:N0} of {Readable.Plural(Seen, "trace")} {(Seen == 1 ? "matches" : "match")}: {why}";
    }
}
