using NftCluster.Messages;

namespace NftCluster.Cli.Views;

/// <summary>A packet and the next one of its connection that went the other way, side by side: a router that only one of them passed shows.</summary>
internal sealed class ReplyView(TerminalWriter terminal)
{
    private const string Nothing = "–";

    public void Write(JourneyRecord first, JourneyRecord second)
    {
        string[] nodes = [.. first.Path.Concat(second.Path.Reverse()).Distinct(StringComparer.Ordinal)];
        (string Node, string There, string Back)[] rows =
        [
            ("", "there", "and back"),
            ("", HopStripView.Flow(first), HopStripView.Flow(second)),
            .. nodes.Select(node => (node, Cell(first, node), Cell(second, node))),
            ("", $"{HopStripView.Duration(first.LatencyNs)}{HopStripView.Bound(first.LatencyBoundNs)}", $"{HopStripView.Duration(second.LatencyNs)}{HopStripView.Bound(second.LatencyBoundNs)}"),
        ];
        int nodeWidth = rows.Max(row => row.Node.Length);
        int width = rows.Max(row => row.There.Length);
        for (int i = 0; i < rows.Length; i++)
        {
            Ink ink = i == 0 ? Ink.Strong : rows[i].Node.Length == 0 ? Ink.Dim : Ink.Plain;
            terminal.Write("  ").WriteColumn(rows[i].Node, nodeWidth, Ink.Strong).Write("  ").WriteColumn(rows[i].There, width, ink).Write("  │  ", Ink.Dim).Write(rows[i].Back, ink).EndLine();
        }
        terminal.Write("there: ", Ink.Dim).Write(first.Summary, HopStripView.InkOf(first)).EndLine();
        terminal.Write("back:  ", Ink.Dim).Write(second.Summary, HopStripView.InkOf(second)).EndLine();
        if (!first.Path.SequenceEqual(second.Path.Reverse(), StringComparer.Ordinal))
        {
            terminal.Write($"The way back is another: {string.Join(" > ", first.Path)} there, {string.Join(" > ", second.Path)} back.", Ink.Bad).EndLine();
        }
    }

    private static string Cell(JourneyRecord journey, string node)
    {
        HopRecord[] hops = [.. journey.Hops.Where(hop => hop.NodeName == node)];
        return hops.Length == 0 ? Nothing : string.Join("; ", hops.Select(hop =>
            $"{HopStripView.Side("in", hop.In)}{(hop.In is null || hop.Out is null ? "" : " → ")}{HopStripView.Side("out", hop.Out)}{(hop.Translated ? " NAT" : "")} {hop.Verdict} {HopStripView.Duration(hop.DurationNs)}"));
    }
}
