using NftCluster.Messages;

namespace NftCluster.Controller.Sessions;

/// <summary>The statistics of several nodes as one: counts add up, a packet that three routers saw counts three times.</summary>
internal static class StatisticsSum
{
    private const int Top = 20;

    public static StatisticsRecord Nothing { get; } = new()
    {
        TotalEvents = 0,
        TotalPackets = 0,
        ValuablePackets = 0,
        ExportedPackets = 0,
        FunctionsTraced = 0,
        TopFunctions = [],
        EventsPerSecond = 0,
        Verdicts = new Dictionary<string, long>(StringComparer.Ordinal),
        DropReasons = new Dictionary<string, long>(StringComparer.Ordinal),
        DuplicateEvents = 0,
        Losses = [],
    };

    public static StatisticsRecord? Of(IReadOnlyCollection<StatisticsRecord> parts) => parts.Count == 0 ? null : new StatisticsRecord
    {
        TotalEvents = parts.Sum(part => part.TotalEvents),
        TotalPackets = parts.Sum(part => part.TotalPackets),
        ValuablePackets = parts.Sum(part => part.ValuablePackets),
        ExportedPackets = parts.Sum(part => part.ExportedPackets),
        // Which functions these are is not told: the same ones hit on most nodes.
        FunctionsTraced = parts.Max(part => part.FunctionsTraced),
        TopFunctions = [.. parts.SelectMany(part => part.TopFunctions).GroupBy(one => one.Function, StringComparer.Ordinal)
            .Select(group => new FunctionCount(group.Key, group.Sum(one => one.Count))).OrderByDescending(one => one.Count).ThenBy(one => one.Function, StringComparer.Ordinal).Take(Top)],
        EventsPerSecond = parts.Sum(part => part.EventsPerSecond),
        Verdicts = Sum(parts.Select(part => part.Verdicts)),
        DropReasons = Sum(parts.Select(part => part.DropReasons)),
        DuplicateEvents = parts.Sum(part => part.DuplicateEvents),
        Losses = [.. parts.SelectMany(part => part.Losses).GroupBy(loss => (loss.Stage, loss.Kind)).Select(group => new LossRecord
        {
            Stage = group.Key.Stage,
            Kind = group.Key.Kind,
            Count = group.Sum(loss => loss.Count),
            From = group.Select(loss => loss.From).Where(from => from is not null).Min(StringComparer.Ordinal),
            To = group.Select(loss => loss.To).Where(to => to is not null).Max(StringComparer.Ordinal),
        })],
    };

    private static Dictionary<string, long> Sum(IEnumerable<IReadOnlyDictionary<string, long>> parts) =>
        parts.SelectMany(part => part).GroupBy(one => one.Key, StringComparer.Ordinal).ToDictionary(group => group.Key, group => group.Sum(one => one.Value), StringComparer.Ordinal);
}
