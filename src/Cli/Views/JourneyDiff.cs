using System.Globalization;
using NftCluster.Messages;

namespace NftCluster.Cli.Views;

/// <summary>What differs, in one journey's words and in the other's; null = it is not there.</summary>
internal sealed record Difference(string What, string? One, string? Other);

/// <summary>Where two packets begin to be treated differently. Times, addresses and TTLs are not compared: they are the packets', not the routers'.</summary>
internal static class JourneyDiff
{
    private static readonly (string What, Func<HopRecord, string?> Value)[] _facts =
    [
        ("router", hop => hop.NodeName),
        ("came in by", hop => hop.In?.Device),
        ("left by", hop => hop.Out?.Device),
        ("translated", hop => hop.Translated ? "yes" : "no"),
        ("verdict", hop => hop.Verdict),
        ("drop reason", hop => hop.DropReason),
        ("dropped by", hop => hop.Rule is { } rule ? $"{rule.Family} {rule.Table} {rule.Chain} {(rule.TraceType == "policy" ? "policy" : string.Create(CultureInfo.InvariantCulture, $"rule {rule.Handle} \"{rule.Text}\""))}" : null),
    ];

    /// <summary>Hops that are alike from the begin on, and what differs at the first that is not; nothing where there is none.</summary>
    public static (int Alike, IReadOnlyList<Difference> Differences) Hops(JourneyRecord one, JourneyRecord other)
    {
        for (int i = 0; i < Math.Max(one.Hops.Count, other.Hops.Count); i++)
        {
            HopRecord? mine = i < one.Hops.Count ? one.Hops[i] : null;
            HopRecord? theirs = i < other.Hops.Count ? other.Hops[i] : null;
            Difference[] differences = mine is null || theirs is null
                ? [new Difference("router", mine?.NodeName, theirs?.NodeName)]
                : [.. _facts.Where(fact => fact.Value(mine) != fact.Value(theirs)).Select(fact => new Difference(fact.What, fact.Value(mine), fact.Value(theirs)))];
            if (differences.Length > 0)
            {
                return (i, differences);
            }
        }
        return (one.Hops.Count, []);
    }

    /// <summary>Steps inside a host (functions and nft verdicts, in time order) that are alike, and the first that are not; null where one is the other's beginning or both are alike.</summary>
    public static (int Alike, Difference? First) Steps(TraceRecord one, TraceRecord other)
    {
        string[] mine = StepsOf(one);
        string[] theirs = StepsOf(other);
        int alike = 0;
        while (alike < mine.Length && alike < theirs.Length && mine[alike] == theirs[alike])
        {
            alike++;
        }
        return alike == mine.Length && alike == theirs.Length ? (alike, null)
            : (alike, new Difference("step", alike < mine.Length ? mine[alike] : null, alike < theirs.Length ? theirs[alike] : null));
    }

    private static string[] StepsOf(TraceRecord trace) =>
    [
        .. trace.Events.Select(seen => (seen.OffsetNs, Text: $"{seen.FuncName}{(seen.Device is { } device ? $" on {device}" : "")}"))
            .Concat(trace.NftEvents.Select(verdict => (verdict.OffsetNs, Text: string.Create(CultureInfo.InvariantCulture, $"nft {verdict.Family} {verdict.Table} {verdict.Chain} {verdict.TraceType}{(verdict.RuleHandle is { } handle ? $" {handle}" : "")}: {verdict.Verdict}"))))
            .OrderBy(step => step.OffsetNs).Select(step => step.Text),
    ];
}
