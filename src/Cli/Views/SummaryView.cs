using NftCluster.Messages;

namespace NftCluster.Cli.Views;

/// <summary>Renders a session's totals, verdicts, drop reasons, busiest functions and every loss by stage.</summary>
internal sealed class SummaryView(TerminalWriter terminal)
{
    private const int Label = 14;
    private const int MostRows = 20;

    /// <summary>Of one stage: a ruleset that is reloaded now and then leaves one at each time.</summary>
    private const int MostIntervals = 5;

    public void Render(SessionRecord session, StatisticsRecord statistics)
    {
        RenderSession(session);
        Row("packets", $"{statistics.TotalPackets:N0} seen, {statistics.ValuablePackets:N0} valuable, {statistics.ExportedPackets:N0} exported");
        string duplicates = statistics.DuplicateEvents == 0 ? "" : $", {statistics.DuplicateEvents:N0} repeats left out";
        Row("events", $"{statistics.TotalEvents:N0}, {statistics.EventsPerSecond:N0}/s, from {Readable.Plural(statistics.FunctionsTraced, "function")}{duplicates}");
        RenderCounts("verdicts", statistics.Verdicts, JourneyView.VerdictInk);
        RenderCounts("drop reasons", statistics.DropReasons, _ => Ink.Bad);
        RenderCounts("top functions", statistics.TopFunctions.Select(f => KeyValuePair.Create(f.Function, f.Count)), _ => Ink.Plain);
        RenderLosses(statistics.Losses);
    }

    public void RenderSession(SessionRecord session)
    {
        terminal.WriteColumn("session", Label, Ink.Dim).Write(session.Id, Ink.Strong)
            .Write($"  {session.Mode}  ").Write(session.State, session.State == "FAILED" ? Ink.Bad : Ink.Plain)
            .Write($"  on {session.Host}{(session.Netns is null ? "" : $", netns {session.Netns}")}, Linux {session.KernelRelease}").EndLine();
        if (session.FailureReason is not null)
        {
            Row("failed", session.FailureReason, Ink.Bad);
        }

        foreach (string way in session.NotVisible ?? [])
        {
            Row("not visible", way, Ink.Strong);
        }

        Row("time", $"{session.StartTime} … {session.EndTime ?? "not ended"}");
        Row("filter", Filter(session));
    }

    /// <summary>Verdicts by rule, with packet counts; nothing where no rule judged.</summary>
    public void RenderRules(RuleTally rules) => RenderCounts("rules", rules.Packets, line => line.EndsWith("drop", StringComparison.Ordinal) ? Ink.Bad : Ink.Plain);

    /// <summary>What the traces that passed a display filter have in common; the session's own totals do not change with it.</summary>
    public void RenderMatches(TraceTally matches, long of)
    {
        terminal.EndLine();
        Row("matching", $"{matches.Traces:N0} of {of:N0} traces, {matches.Events:N0} events", Ink.Strong);
        RenderCounts("verdicts", matches.Verdicts, JourneyView.VerdictInk);
        RenderCounts("drop reasons", matches.DropReasons, _ => Ink.Bad);
        RenderCounts("top functions", matches.Functions, _ => Ink.Plain);
    }

    internal static string Filter(SessionRecord session)
    {
        string filter = session.Filter is null ? "every packet" : $"'{session.Filter}'";
        filter += session.Device is null ? "" : $", device {session.Device}";
        filter += session.Netns is null ? "" : $", netns {session.Netns}";
        return filter + (session.Mark is null ? "" : $", mark {session.Mark}");
    }

    private void RenderCounts(string label, IEnumerable<KeyValuePair<string, long>> counts, Func<string, Ink> ink)
    {
        KeyValuePair<string, long>[] rows = [.. counts.Where(c => c.Value > 0).OrderByDescending(c => c.Value).ThenBy(c => c.Key, StringComparer.Ordinal)];
        long whole = rows.Sum(r => r.Value);
        int width = rows.Length == 0 ? 0 : rows.Max(r => r.Key.Length);
        foreach ((string name, long count) in rows.Take(MostRows))
        {
            terminal.WriteColumn(label, Label, Ink.Dim).WriteColumn(name, width, ink(name))
                .WriteColumn($"{count:N0}", -14).WriteColumn(Readable.Share(count, whole), -9).EndLine();
            label = "";
        }

        if (rows.Length > MostRows)
        {
            Row("", $"and {rows.Length - MostRows} more");
        }
    }

    private void RenderLosses(IReadOnlyList<LossRecord> losses)
    {
        LossRecord[] lost = [.. losses.Where(l => l.Count > 0)];
        if (lost.Length == 0)
        {
            string stages = losses.Count == 0 ? "" : $" (watched: {string.Join(", ", losses.Select(l => l.Stage).Distinct(StringComparer.Ordinal))})";
            Row("losses", $"no event lost{stages}", Ink.Good);
            return;
        }

        string label = "LOST";
        foreach (IGrouping<string, LossRecord> stage in lost.GroupBy(l => l.Stage, StringComparer.Ordinal))
        {
            foreach (LossRecord loss in stage.Take(MostIntervals))
            {
                string when = loss.From is null ? "" : $", {loss.From} … {loss.To ?? "?"}";
                Row(label, $"{loss.Count:N0} {loss.Kind} at {loss.Stage}{when}", Ink.Bad);
                label = "";
            }

            LossRecord[] more = [.. stage.Skip(MostIntervals)];
            if (more.Length > 0)
            {
                Row("", $"{more.Sum(l => l.Count):N0} {more[0].Kind} more at {stage.Key} in {Readable.Plural(more.Length, "interval")}, until {more[^1].To}", Ink.Bad);
            }
        }
    }

    private void Row(string label, string text, Ink ink = Ink.Plain)
    {
        terminal.WriteColumn(label, Label, Ink.Dim).Write(text, ink).EndLine();
    }
}
