using NftCluster.Messages;

namespace NftCluster.Node.Agent;

/// <summary>A session's numbers over several runs of it on one node: before and after a pause, a restart, a kill.</summary>
internal static class StatisticsSum
{
    private const int TopFunctions = 20;

    public static StatisticsRecord Of(StatisticsRecord? before, StatisticsRecord now) => before is null ? now : now with
    {
        TotalEvents = before.TotalEvents + now.TotalEvents,
        TotalPackets = before.TotalPackets + now.TotalPackets,
        ValuablePackets = before.ValuablePackets + now.ValuablePackets,
        ExportedPackets = before.ExportedPackets + now.ExportedPackets,
        FunctionsTraced = Math.Max(before.FunctionsTraced, now.FunctionsTraced),
        TopFunctions = [.. Sum(before.TopFunctions.Select(f => (f.Function, f.Count)), now.TopFunctions.Select(f => (f.Function, f.Count)))
            .OrderByDescending(f => f.Value).ThenBy(f => f.Key, StringComparer.Ordinal).Take(TopFunctions).Select(f => new FunctionCount(f.Key, f.Value))],
        Verdicts = Sum(before.Verdicts.Select(v => (v.Key, v.Value)), now.Verdicts.Select(v => (v.Key, v.Value))),
        DropReasons = Sum(before.DropReasons.Select(r => (r.Key, r.Value)), now.DropReasons.Select(r => (r.Key, r.Value))),
        DuplicateEvents = before.DuplicateEvents + now.DuplicateEvents,
        Losses = [.. before.Losses.Concat(now.Losses).GroupBy(l => l.Stage, StringComparer.Ordinal).Select(Joined)],
    };

    private static Dictionary<string, long> Sum(IEnumerable<(string Key, long Value)> before, IEnumerable<(string Key, long Value)> now) =>
        before.Concat(now).GroupBy(p => p.Key, StringComparer.Ordinal).ToDictionary(g => g.Key, g => g.Sum(p => p.Value), StringComparer.Ordinal);

    private static LossRecord Joined(IGrouping<string, LossRecord> stage) => stage.First() with
    {
        Count = stage.Sum(l => l.Count),
        From = stage.Select(l => l.From).OfType<string>().Min(StringComparer.Ordinal),
        To = stage.Select(l => l.To).OfType<string>().Max(StringComparer.Ordinal),
    };
}
