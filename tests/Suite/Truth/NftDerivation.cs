using System.Net;
using NftCluster.Messages;

namespace NftCluster.Tests.Truth;

/// <summary>Holds the traces of a run against what was derived from the ruleset by hand: each packet's steps, its fate, its tuples, and how many there are.</summary>
internal sealed class NftDerivation(NftWorld world, NftTruthRun run, LabExchange exchange)
{
    private readonly Dictionary<string, string> _read = new(StringComparer.Ordinal);
    private readonly List<string> _faults = [];
    private int _errors;

    public void AssertAll()
    {
        Dictionary<NftFlow, (int There, int Back)> counts = world.Flows.ToDictionary(flow => flow, _ => (0, 0));
        foreach (TraceRecord trace in run.Traces)
        {
            PacketSide side = (trace.In ?? trace.Out)!;
            if (world.Flows.FirstOrDefault(flow => trace.In is not null && IsOf(flow, side, side.DstPort)) is { } there)
            {
                counts[there] = (counts[there].There + 1, counts[there].Back);
                CheckThere(there, trace, trace.In!);
            }
            else if (world.Flows.FirstOrDefault(flow => IsOf(flow, side, side.SrcPort)) is { } back)
            {
                counts[back] = (counts[back].There, counts[back].Back + 1);
                Check(trace, back.Back ?? "nothing comes back");
            }
            else if (trace.In is null && side.Protocol is "ICMP" or "ICMPv6")
            {
                _errors++;
                Check(trace, world.Error);
            }
            else if (side.Protocol is not ("ICMP" or "ICMPv6")) // pings: the monitor's book has them
            {
                _faults.Add($"not expected: {TraceRules.Words(trace)}");
            }
        }
        CheckCounts(counts);
        Assert.True(_faults.Count == 0, $"{_faults.Count} faults:\n{string.Join('\n', _faults.Take(20))}");
    }

    private static bool IsOf(NftFlow flow, PacketSide side, int? port) => flow.Kind switch
    {
        NftFlowKind.Connections => side.Protocol == "TCP" && port == flow.Port,
        NftFlowKind.Refused => side.Protocol == "TCP" && port >= flow.Port && port < flow.Port + NftFlowTraffic.Packets(flow),
        _ => side.Protocol == "UDP" && port >= flow.Port && port < flow.Port + NftFlowTraffic.Packets(flow),
    };

    private void CheckThere(NftFlow flow, TraceRecord trace, PacketSide came)
    {
        bool isFirst = flow.Kind != NftFlowKind.Connections || came.TcpFlags == "S";
        Check(trace, isFirst ? flow.First : flow.Later ?? flow.First);
        IPAddress to = exchange.AddressOf(flow.To);
        Expect(trace, IPAddress.Parse(came.DstIp!).Equals(to) && came.SrcIp == exchange.AddressOf("client").ToString(), "came with other addresses");
        if (world.IsTracked && trace.NftEvents.Count > 0)
        {
            CheckConntrack(flow, trace, came, isFirst ? "new" : "established");
        }
        if (trace is { FinalVerdict: "forwarded", Out: { } left })
        {
            Expect(trace, left.SrcIp == (flow.OutSource ?? came.SrcIp) && left.DstIp == (flow.OutDestination ?? came.DstIp), $"left from {left.SrcIp} to {left.DstIp}");
            Expect(trace, (left.SrcPort, left.DstPort) == (came.SrcPort, came.DstPort), "left with other ports");
        }
    }

    /// <summary>At the last step everything has been said of the connection: how it began, and how it will be answered, NAT and all.</summary>
    private void CheckConntrack(NftFlow flow, TraceRecord trace, PacketSide came, string state)
    {
        NftEventRecord last = trace.NftEvents[^1];
        if (flow.IsUntracked)
        {
            Expect(trace, last is { CtState: "untracked", CtOriginal: null, CtReply: null }, $"is tracked: {last.CtState} {last.CtOriginal}");
            return;
        }
        Expect(trace, last.CtState == state, $"is {last.CtState}, not {state}");
        Expect(trace, Words(last.CtOriginal) == $"{came.Protocol} {came.SrcIp} {came.SrcPort} {came.DstIp} {came.DstPort}", $"came as {Words(last.CtOriginal)}");
        // A redirect goes to whichever address the device has.
        string? answering = flow.RouterPort is null ? flow.OutDestination ?? came.DstIp : last.CtReply?.SrcIp;
        Expect(trace, Words(last.CtReply) == $"{came.Protocol} {answering} {flow.RouterPort ?? came.DstPort} {flow.OutSource ?? came.SrcIp} {came.SrcPort}", $"is answered as {Words(last.CtReply)}");
    }

    private static string Words(ConntrackTupleRecord? tuple) => tuple is null ? "nothing" : $"{tuple.Protocol} {tuple.SrcIp} {tuple.SrcPort} {tuple.DstIp} {tuple.DstPort}";

    private void Check(TraceRecord trace, string written)
    {
        if (!_read.TryGetValue(written, out string? expected))
        {
            expected = _read[written] = NftStep.Words(run.Listing.Read(written));
        }
        IReadOnlyList<NftStep> steps = NftTruthRun.StepsOf(trace);
        string actual = NftStep.Words(steps);
        Expect(trace, actual == expected, $"\n  expected {expected}\n  has      {actual}\n ");
        bool isDropped = steps.Count > 0 && steps[^1].Verdict == "drop";
        Expect(trace, !isDropped || trace.FinalVerdict == "dropped", "a rule dropped it and the trace says otherwise");
        Expect(trace, isDropped || trace.FinalVerdict != "dropped" || trace.DropReason == "NO_SOCKET", "no rule dropped it and the trace says otherwise");
        Expect(trace, trace is not { FinalVerdict: "forwarded", In: not null } || trace.Out?.Ttl == trace.In!.Ttl - world.Hops, $"TTL {trace.In?.Ttl} became {trace.Out?.Ttl}");
    }

    private void CheckCounts(Dictionary<NftFlow, (int There, int Back)> counts)
    {
        int rejected = world.Flows.Where(flow => flow.Kind == NftFlowKind.Rejected).Sum(NftFlowTraffic.Packets);
        if (_errors != rejected)
        {
            _faults.Add($"{_errors} ICMP errors, not {rejected}");
        }
        foreach ((NftFlow flow, (int there, int back)) in counts)
        {
            int count = NftFlowTraffic.Packets(flow);
            bool isRight = flow.Kind switch
            {
                // Handshake, data, both ends' FIN: four each way at least.
                NftFlowKind.Connections => there >= 4 * NftFlowTraffic.Connections && back >= 3 * NftFlowTraffic.Connections,
                NftFlowKind.Answered or NftFlowKind.Refused => (there, back) == (count, count),
                _ => (there, back) == (count, 0),
            };
            if (!isRight)
            {
                _faults.Add($"flow {flow.Port}: {there} there, {back} back, of {count}");
            }
        }
    }

    private void Expect(TraceRecord trace, bool holds, string what)
    {
        if (!holds)
        {
            _faults.Add($"{what}: {TraceRules.Words(trace)}");
        }
    }
}
