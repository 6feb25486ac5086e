using NftCluster.Messages;

namespace NftCluster.Cli.Views;

/// <summary>The events of a trace as a table: a step is named once, then its functions in aligned columns with what changed at each.</summary>
internal static class JourneySteps
{
    private const int WidestFunction = 44;

    /// <summary>A gap worth a look at 3 a.m.: longer than forwarding takes on any idle machine.</summary>
    private const long SlowNs = 1_000_000;

    public static void Write(TerminalWriter terminal, TraceRecord trace)
    {
        var columns = Columns.Of(trace.Events);
        EventRecord? previous = null;
        foreach (EventRecord e in trace.Events)
        {
            WriteRow(terminal, columns, e, previous);
            previous = e;
        }

        foreach (NftEventRecord nft in trace.NftEvents)
        {
            WriteVerdict(terminal, nft);
        }
    }

    private static void WriteRow(TerminalWriter terminal, Columns columns, EventRecord e, EventRecord? previous)
    {
        bool sameStep = previous is not null && previous.Step == e.Step && previous.Layer == e.Layer;
        terminal.Write("  ")
            .WriteColumn(sameStep ? "" : e.Step, columns.Step, e.Step == "drop" ? Ink.Bad : Ink.Strong)
            .Write("  ")
            .WriteColumn(sameStep ? "" : e.Layer, columns.Layer, Ink.Dim);
        long delta = previous is null ? 0 : e.OffsetNs - previous.OffsetNs;
        string time = previous is null ? "0" : $"{(delta < 0 ? "" : "+")}{Readable.Duration(delta)}";
        terminal.WriteColumn(time, -12, delta >= SlowNs ? Ink.Warning : Ink.Plain)
            .Write("  ")
            .WriteColumn(e.FuncName, columns.Function)
            .Write("  ")
            .Write(e.Device ?? (e.Ifindex == 0 ? "-" : $"if{e.Ifindex}"));
        WriteDetails(terminal, columns, e, previous);
        terminal.EndLine();
    }

    private static void WriteDetails(TerminalWriter terminal, Columns columns, EventRecord e, EventRecord? previous)
    {
        string details = string.Join(' ', new[] { e.Detail, Process(e, previous) }.Where(text => !string.IsNullOrEmpty(text)));
        string[] changes = previous is null ? [] : [.. Changes(e, previous)];
        if (details.Length + changes.Length == 0)
        {
            return;
        }

        int device = (e.Device ?? (e.Ifindex == 0 ? "-" : $"if{e.Ifindex}")).Length;
        terminal.WriteColumn("", Math.Max(0, columns.Device - device) + 2).Write(details, e.Step == "drop" ? Ink.Bad : Ink.Dim);
        foreach (string change in changes)
        {
            terminal.Write(details.Length > 0 || change != changes[0] ? "  " : "").Write(change, Ink.Change);
        }
    }

    private static string? Process(EventRecord e, EventRecord? previous) =>
        e.Comm is not null && e.Comm != previous?.Comm ? $"{e.Comm}[{e.Pid?.ToString() ?? "?"}]" : null;

    private static IEnumerable<string> Changes(EventRecord e, EventRecord previous)
    {
        (string before, string after) = (Readable.Endpoint(previous.SrcIp, previous.SrcPort), Readable.Endpoint(e.SrcIp, e.SrcPort));
        if (Differs(before, after))
        {
            yield return $"src {before} ⇒ {after}";
        }

        (before, after) = (Readable.Endpoint(previous.DstIp, previous.DstPort), Readable.Endpoint(e.DstIp, e.DstPort));
        if (Differs(before, after))
        {
            yield return $"dst {before} ⇒ {after}";
        }

        if (e.Ttl is not null && previous.Ttl is not null && e.Ttl != previous.Ttl)
        {
            yield return $"ttl {previous.Ttl}→{e.Ttl}";
        }

        if (e.Length != previous.Length && e.Length > 0 && previous.Length > 0)
        {
            yield return $"length {previous.Length}→{e.Length}";
        }

        if (e.Mark is not null && e.Mark != (previous.Mark ?? 0))
        {
            yield return $"mark 0x{e.Mark:x}";
        }

        if (e.SkbAddr != previous.SkbAddr)
        {
            yield return $"skb {e.SkbAddr}";
        }

        if (e.Cpu != previous.Cpu)
        {
            yield return $"cpu {previous.Cpu}→{e.Cpu}";
        }
    }

    private static bool Differs(string before, string after) => before != "?" && after != "?" && before != after;

    private static void WriteVerdict(TerminalWriter terminal, NftEventRecord nft)
    {
        string rule = nft.RuleHandle is { } handle ? $" rule handle {handle}" : "";
        terminal.Write("  nft ", Ink.Strong)
            .Write($"{Readable.TimeOfDay(nft.Timestamp)} {nft.Hook ?? "?"} {nft.TraceType}{rule} ")
            .Write(nft.Verdict, nft.Verdict.Equals("drop", StringComparison.OrdinalIgnoreCase) ? Ink.Bad : Ink.Good)
            .EndLine();
    }

    private sealed record Columns(int Step, int Layer, int Function, int Device)
    {
        public static Columns Of(IReadOnlyList<EventRecord> events)
        {
            (int step, int layer, int function, int device) = (0, 0, 0, 0);
            foreach (EventRecord e in events)
            {
                step = Math.Max(step, e.Step.Length);
                layer = Math.Max(layer, e.Layer.Length);
                function = Math.Max(function, Math.Min(WidestFunction, e.FuncName.Length));
                device = Math.Max(device, e.Device?.Length ?? 1);
            }

            return new Columns(step, layer, function, device);
        }
    }
}
