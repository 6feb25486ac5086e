using NftCluster.Messages;

namespace NftCluster.Cli.Views;

/// <summary>Renders one packet trace: a first line that answers, then the way through the kernel step by step.</summary>
internal sealed class JourneyView(TerminalWriter terminal, string place)
{
    /// <summary>Where the packet was seen, as a person calls it: the namespace's name, else the host's.</summary>
    public static string PlaceOf(SessionRecord session) =>
        string.IsNullOrEmpty(session.Netns) ? session.Host : Path.GetFileName(session.Netns.TrimEnd('/'));

    public void Render(TraceRecord trace)
    {
        if (NftAnswer.Of(trace) is { } answer)
        {
            terminal.Write(answer, Ink.Bad).EndLine();
        }
        WriteHeadline(trace);
        WriteHeader(trace);
        JourneySteps.Write(terminal, trace);
        terminal.EndLine();
    }

    internal static Ink VerdictInk(string verdict) => verdict switch
    {
        "dropped" => Ink.Bad,
        "delivered" or "forwarded" or "consumed" => Ink.Good,
        _ => Ink.Warning,
    };

    private void WriteHeadline(TraceRecord trace)
    {
        terminal.WriteColumn(trace.FinalVerdict.ToUpperInvariant(), 10, VerdictInk(trace.FinalVerdict))
            .Write(Readable.TimeOfDay(trace.FirstSeen), Ink.Dim)
            .Write("  ")
            .Write(trace.ProtocolName, Ink.Strong)
            .Write($" {Readable.Flow(trace.SrcIp, trace.SrcPort, trace.DstIp, trace.DstPort)}");
        WriteTranslation(trace);
        WriteDrop(trace);
        terminal.Write("  ").Write(Devices(trace));
        if (Ttl(trace) is { } ttl)
        {
            terminal.Write($"  {ttl}");
        }

        terminal.Write($"  {Readable.Duration(trace.DurationNs)}  ");
        if (trace.Complete)
        {
            terminal.Write("complete", Ink.Dim);
        }
        else
        {
            terminal.Write($"INCOMPLETE: {trace.IncompleteReason ?? "unknown why"}", Ink.Warning);
        }

        terminal.Write($"  {place}", Ink.Strong).Write($" netns {trace.Netns}", Ink.Dim).EndLine();
    }

    /// <summary>What only some packets have: length, flags, sequence numbers, segments, VLAN.</summary>
    private void WriteHeader(TraceRecord trace)
    {
        if ((trace.In ?? trace.Out) is not { } side)
        {
            return;
        }

        var facts = new List<string> { $"{side.Length:N0} bytes" };
        AddIf(facts, side.PayloadLength is not null, $"payload {side.PayloadLength}");
        AddIf(facts, side.Segments > 1, $"{side.Segments} segments");
        AddIf(facts, side.TcpFlags is not null, $"flags [{side.TcpFlags}]");
        AddIf(facts, side.TcpSeq is not null, $"seq {side.TcpSeq}");
        AddIf(facts, side.TcpAck is not null, $"ack {side.TcpAck}");
        AddIf(facts, side.IcmpType is not null, $"icmp type {side.IcmpType} code {side.IcmpCode}");
        AddIf(facts, side.IcmpSeq is not null, $"echo {side.IcmpId}/{side.IcmpSeq}");
        AddIf(facts, side.IpId is not null, $"ip id {side.IpId}");
        AddIf(facts, side.VlanId is not null, $"vlan {side.VlanId}");
        facts.Add(trace.Direction);
        facts.Add(trace.Key);
        terminal.Write("  ").Write(string.Join(", ", facts), Ink.Dim).EndLine();
    }

    private void WriteTranslation(TraceRecord trace)
    {
        if (trace.In is not { } from || trace.Out is not { } to)
        {
            return;
        }

        WriteTranslation("SNAT", Readable.Endpoint(from.SrcIp, from.SrcPort), Readable.Endpoint(to.SrcIp, to.SrcPort));
        WriteTranslation("DNAT", Readable.Endpoint(from.DstIp, from.DstPort), Readable.Endpoint(to.DstIp, to.DstPort));
    }

    private void WriteTranslation(string kind, string from, string to)
    {
        if (from != "?" && to != "?" && from != to)
        {
            terminal.Write("  ").Write($"{kind} {from} ⇒ {to}", Ink.Change);
        }
    }

    private void WriteDrop(TraceRecord trace)
    {
        if (trace.DropReason is not null || trace.DropFunction is not null)
        {
            terminal.Write("  ").Write($"{trace.DropReason ?? "reason unknown"} at {trace.DropFunction ?? "?"}", Ink.Bad);
        }
    }

    private static string Devices(TraceRecord trace) => (trace.In, trace.Out) switch
    {
        ({ } from, { } to) => $"{Readable.Device(from)} → {Readable.Device(to)}",
        ({ } from, null) => $"in {Readable.Device(from)}",
        (null, { } to) => $"out {Readable.Device(to)}",
        _ => "no device seen",
    };

    private static string? Ttl(TraceRecord trace) => (trace.In?.Ttl, trace.Out?.Ttl) switch
    {
        ({ } from, { } to) when from != to => $"ttl {from}→{to}",
        ({ } from, _) => $"ttl {from}",
        (null, { } to) => $"ttl {to}",
        _ => null,
    };

    private static void AddIf(List<string> facts, bool known, string fact)
    {
        if (known)
        {
            facts.Add(fact);
        }
    }
}
