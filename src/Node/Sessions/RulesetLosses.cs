using NftCluster.Messages;
using NftCluster.Node.Nftables;

namespace NftCluster.Node.Sessions;

/// <summary>
/// What a session's verdicts lack because of the ruleset, as loss records with an interval each. Generations that go by within a second
/// of each other are one record, and a session has a bounded number of them: beyond it the nearest two become one.
/// </summary>
internal sealed class RulesetLosses(long startNs, Func<ulong, string> wall)
{
    public const int MostIntervals = 32;

    private const long OneStormNs = 1_000_000_000;

    private static readonly (RulesetGapKind Gap, string Stage, string Kind)[] _stages =
    [
        (RulesetGapKind.Unread, "ruleset-unread", "generations"),
        (RulesetGapKind.Unheard, "ruleset-unheard", "messages"),
        (RulesetGapKind.Evicted, "ruleset-evicted", "generations"),
        (RulesetGapKind.Unmarked, "nft-unmarked", "intervals"),
    ];

    private readonly List<RulesetGap>[] _gaps = [.. _stages.Select(_ => new List<RulesetGap>())];

    /// <summary>Of a session that has lost nothing: what is listed is watched.</summary>
    public static IReadOnlyList<LossRecord> None { get; } = new RulesetLosses(0, _ => "").Records();

    /// <summary>These statistics with such records in the place of those that they have.</summary>
    public static StatisticsRecord CountIn(StatisticsRecord statistics, IReadOnlyList<LossRecord> losses) => statistics with
    {
        Losses = [.. statistics.Losses.Where(loss => !Array.Exists(_stages, stage => stage.Stage == loss.Stage)), .. losses],
    };

    /// <summary>Those that were over before the session began are not its own.</summary>
    public void Add(IEnumerable<RulesetGap> gaps)
    {
        foreach (RulesetGap gap in gaps.Where(gap => gap.ToNs >= startNs))
        {
            Add(gap with { FromNs = Math.Max(gap.FromNs, startNs) });
        }
    }

    /// <summary>Every stage: its intervals, or a zero.</summary>
    public IReadOnlyList<LossRecord> Records() =>
        [.. _stages.Zip(_gaps).SelectMany(row => row.Second.Count == 0 ? [new LossRecord { Stage = row.First.Stage, Kind = row.First.Kind, Count = 0 }] : row.Second.Select(gap => Record(row.First.Stage, row.First.Kind, gap)))];

    private void Add(RulesetGap gap)
    {
        List<RulesetGap> known = _gaps[Array.FindIndex(_stages, stage => stage.Gap == gap.Kind)];
        long near = gap.Kind == RulesetGapKind.Unmarked ? 0 : OneStormNs;
        if (known.Count > 0 && gap.FromNs - known[^1].ToNs <= near)
        {
            known[^1] = Join(known[^1], gap);
            return;
        }
        known.Add(gap);
        if (known.Count > MostIntervals)
        {
            int nearest = Enumerable.Range(0, known.Count - 1).MinBy(i => known[i + 1].FromNs - known[i].ToNs);
            known[nearest] = Join(known[nearest], known[nearest + 1]);
            known.RemoveAt(nearest + 1);
        }
    }

    private static RulesetGap Join(RulesetGap one, RulesetGap next) =>
        one with { FromNs = Math.Min(one.FromNs, next.FromNs), ToNs = Math.Max(one.ToNs, next.ToNs), Count = one.Count + next.Count };

    private LossRecord Record(string stage, string kind, RulesetGap gap) =>
        new() { Stage = stage, Kind = kind, Count = gap.Count, From = wall((ulong)gap.FromNs), To = wall((ulong)gap.ToNs) };
}
