using System.Globalization;
using NftCluster.Messages;

namespace NftCluster.Cli.Views;

/// <summary>A journey: the answer first, then hop by hop, with what joins them and what is not known.</summary>
internal sealed class HopStripView(TerminalWriter terminal)
{
    /// <summary>One line, for lists.</summary>
    public void WriteLine(JourneyRecord journey)
    {
        terminal.Write($"{journey.FirstSeen[11..^4]}  ", Ink.Dim).Write($"{Flow(journey)}  ").Write(journey.Summary, InkOf(journey)).EndLine();
        terminal.Write($"    {journey.Id}", Ink.Dim).EndLine();
    }

    /// <summary>After each hop, <paramref name="afterHop"/> may write more about it.</summary>
    public async Task WriteAsync(JourneyRecord journey, Func<HopRecord, Task> afterHop)
    {
        terminal.Write(journey.Summary, InkOf(journey)).EndLine();
        terminal.Write($"{Flow(journey)}, first seen {journey.FirstSeen}, {Duration(journey.LatencyNs)}{Bound(journey.LatencyBoundNs)} in all", Ink.Dim).EndLine();
        int width = journey.Hops.Max(hop => hop.NodeName.Length);
        foreach (HopRecord hop in journey.Hops)
        {
            if (hop.Join is { } join)
            {
                string unseen = join.UnseenRouters > 0 ? string.Create(CultureInfo.InvariantCulture, $", {join.UnseenRouters} unseen router(s) between") : "";
                terminal.Write($"  {"".PadRight(width)}  │ {join.Kind} ({join.Evidence}), {Duration(join.LatencyNs)}{Bound(join.LatencyBoundNs)} between{unseen}", Ink.Dim).EndLine();
            }
            terminal.Write("  ").WriteColumn(hop.NodeName, width, Ink.Strong).Write($"  {Side("in", hop.In)}{(hop.In is null || hop.Out is null ? "" : " → ")}{Side("out", hop.Out)}  ");
            terminal.Write($"{hop.Verdict}{(hop.DropReason is { } reason ? $" {reason}" : "")}", hop.Verdict == "dropped" ? Ink.Bad : Ink.Good).Write($"  {Duration(hop.DurationNs)}", Ink.Dim).EndLine();
            if (hop is { Translated: true, In: { } came, Out: { } left })
            {
                terminal.Write($"  {"".PadRight(width)}  NAT: {Ends(came)} becomes {Ends(left)}").EndLine();
            }
            if (hop.ExpectedNext is { } expected)
            {
                terminal.Write($"  {"".PadRight(width)}  expected next at {expected}: not seen there", Ink.Bad).EndLine();
            }
            await afterHop(hop);
        }
        if ((journey.NextReverse ?? journey.PreviousReverse) is { } other)
        {
            terminal.Write(journey.NextReverse is null ? $"answers: {other}" : $"answered by: {other}", Ink.Dim).Write("  (side by side: --reply)", Ink.Dim).EndLine();
        }
        terminal.Write(journey.Complete ? "complete: yes" : "complete: no", journey.Complete ? Ink.Good : Ink.Bad).EndLine();
        foreach (string reason in journey.IncompleteReasons)
        {
            terminal.Write($"  {reason}").EndLine();
        }
    }

    public static Ink InkOf(JourneyRecord journey) => journey.Outcome.StartsWith("dropped", StringComparison.Ordinal) ? Ink.Bad : journey.Complete ? Ink.Good : Ink.Plain;

    public static string Flow(JourneyRecord journey) => $"{journey.Protocol} {End(journey.SrcIp, journey.SrcPort)} → {End(journey.DstIp, journey.DstPort)}";

    private static string Ends(HopSideRecord side) => $"{End(side.SrcIp, side.SrcPort)} → {End(side.DstIp, side.DstPort)}";

    private static string End(string? address, int? port) => port is null ? address ?? "?" : address?.Contains(':', StringComparison.Ordinal) == true
        ? string.Create(CultureInfo.InvariantCulture, $"[{address}]:{port}")
        : string.Create(CultureInfo.InvariantCulture, $"{address}:{port}");

    public static string Side(string word, HopSideRecord? side) => side is null ? "" : $"{word} {side.Device ?? "?"}{(side.Ttl is { } ttl ? string.Create(CultureInfo.InvariantCulture, $" ttl {ttl}") : "")}";

    public static string Bound(long? ns) => ns switch
    {
        null => " ± unknown",
        0 => "",
        { } bound => $" ± {Duration(bound)}",
    };

    public static string Duration(long ns) => Math.Abs(ns) switch
    {
        < 1_000_000 => string.Create(CultureInfo.InvariantCulture, $"{ns / 1e3:0.#} µs"),
        < 1_000_000_000 => string.Create(CultureInfo.InvariantCulture, $"{ns / 1e6:0.##} ms"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{ns / 1e9:0.##} s"),
    };
}
