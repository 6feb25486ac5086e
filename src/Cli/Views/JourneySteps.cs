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
        var columns = Columns.Of(trace);
        NftEventRecord? decision = NftAnswer.Decision(trace);
        EventRecord? previous = null;
        long? before = null;
        int next = 0;
        foreach (EventRecord e in trace.Events)
        {
            for (; next < trace.NftEvents.Count && trace.NftEvents[next].OffsetNs < e.OffsetNs; next++)
            {
                WriteVerdict(terminal, columns, trace.NftEvents[next], before, decision);
                before = trace.NftEvents[next].OffsetNs;
            }
            WriteRow(terminal, columns, e, previous, before);
            previous = e;
            before = e.OffsetNs;
        }
        for (; next < trace.NftEvents.Count; next++)
        {
            WriteVerdict(terminal, columns, trace.NftEvents[next], before, decision);
            before = trace.NftEvents[next].OffsetNs;
        }
    }

    private static void WriteRow(TerminalWriter terminal, Columns columns, EventRecord e, EventRecord? previous, long? before)
    {
        bool sameStep = previous is not null && previous.Step == e.Step && previous.Layer == e.Layer;
        terminal.Write("  ")
            .WriteColumn(sameStep ? "" : e.Step, columns.Step, e.Step == "drop" ? Ink.Bad : Ink.Strong)
            .Write("  ")
            .WriteColumn(sameStep ? "" : e.Layer, columns.Layer, Ink.Dim);
        WriteTime(terminal, e.OffsetNs, before);
        terminal.WriteColumn(e.FuncName, columns.Function)
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

        if (e.Length != previous.Length && e.Length > 0 && previous.Length > 0 && !IsLinkHeader(e, previous))
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

    /// <summary>
    /// The kernel's length counts from where the packet's data begins just then: between two steps with and without its
    /// Ethernet header (14 bytes, 18 with a VLAN tag) the packet itself did not change.
    /// </summary>
    private static bool IsLinkHeader(EventRecord e, EventRecord previous) =>
        e.Step != previous.Step && Math.Abs(e.Length - previous.Length) is 14 or 18;

    private static bool Differs(string before, string after) => before != "?" && after != "?" && before != after;

    private static void WriteTime(TerminalWriter terminal, long offset, long? before)
    {
        long delta = offset - before ?? 0;
        string time = before is null ? "0" : $"{(delta < 0 ? "" : "+")}{Readable.Duration(delta)}";
        terminal.WriteColumn(time, -12, delta >= SlowNs ? Ink.Warning : Ink.Plain).Write("  ");
    }

    /// <summary>The verdict lane: where in the ruleset, what it says, what came of it; the one that ended the packet stands out.</summary>
    private static void WriteVerdict(TerminalWriter terminal, Columns columns, NftEventRecord nft, long? before, NftEventRecord? decision)
    {
        bool decided = ReferenceEquals(nft, decision);
        terminal.Write("  ")
            .WriteColumn("", columns.Step)
            .Write("  ")
            .WriteColumn("nft", columns.Layer, Ink.Strong);
        WriteTime(terminal, nft.OffsetNs, before);
        terminal.WriteColumn(NftAnswer.Place(nft), columns.Function)
            .Write("  ")
            .Write(NftAnswer.Rule(nft), decided ? Ink.Bad : Ink.Dim)
            .Write($" → {RuleTally.Verdict(nft)}", decided ? Ink.Bad : nft.Verdict == "accept" ? Ink.Good : Ink.Plain)
            .Write(decided ? "  ◀ decided" : "", Ink.Bad)
            .Write(nft.ChainNs is { } spent ? $"  (base chain: {Readable.Duration(spent)})" : "", Ink.Dim)
            .EndLine();
    }

    private sealed record Columns(int Step, int Layer, int Function, int Device)
    {
        public static Columns Of(TraceRecord trace)
        {
            (int step, int layer, int device) = (0, "nft".Length, 0);
            int function = trace.NftEvents.Count == 0 ? 0 : trace.NftEvents.Max(nft => Math.Min(WidestFunction, NftAnswer.Place(nft).Length));
            foreach (EventRecord e in trace.Events)
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
