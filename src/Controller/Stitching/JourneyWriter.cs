using System.Globalization;
using System.Net;
using NftCluster.Controller.Storage;
using NftCluster.Messages;

namespace NftCluster.Controller.Stitching;

/// <summary>What is known beside the hops: the nodes' names, and what was lost where and when.</summary>
internal sealed record JourneyFacts(string SessionId, IReadOnlyDictionary<string, string> NodeNames, IReadOnlyList<StoredLoss> Losses, ExpectedNext Expected, ClockPairs Clocks)
{
    public SessionScope Scope { get; init; } = SessionScope.Everything;

    public string NameOf(string node) => NodeNames.GetValueOrDefault(node, node);
}

/// <summary>Journeys in their public shape: what became of the packet, and what is not known.</summary>
internal sealed class JourneyWriter(JourneyFacts facts)
{
    private static readonly HashSet<string> _harmless = new(["orphaned", "sampled-out", "retention"], StringComparer.Ordinal);

    public JourneyRecord Write(JourneyHops journey)
    {
        (Hop first, Hop last) = (journey.Hops[0], journey.Hops[^1]);
        Endpoints flow = (first.Side?.Endpoints).GetValueOrDefault();
        string outcome = OutcomeOf(last);
        string[] reasons = [.. Reasons(journey, ref outcome).Distinct(StringComparer.Ordinal)];
        ClockDifference clocks = facts.Clocks.Between(first, last);
        string[] path = [.. journey.Hops.Select(hop => facts.NameOf(hop.Node))];
        return new JourneyRecord
        {
            Id = first.Id.ToString(),
            SessionId = facts.SessionId,
            Summary = Sentence(path, last, outcome, reasons),
            Path = path,
            Outcome = outcome,
            Protocol = first.Protocol,
            SrcIp = Address(flow.Source),
            DstIp = Address(flow.Destination),
            SrcPort = Port(flow, flow.SourcePort),
            DstPort = Port(flow, flow.DestinationPort),
            FirstSeen = TraceTime.Format(first.InNs),
            LatencyNs = last.LastNs - first.FirstNs - clocks.OffsetNs,
            LatencyBoundNs = clocks.BoundNs,
            Complete = reasons.Length == 0,
            IncompleteReasons = reasons,
            Hops = [.. journey.Hops.Select(hop => Write(hop, journey))],
            Ambiguous = [.. journey.Ambiguous.Select(Write)],
        };
    }

    /// <summary>By the last hop; a packet that went on where everybody is seen to arrive is incomplete, not gone.</summary>
    public static string OutcomeOf(Hop last) => last.Verdict switch
    {
        "dropped" => last.Dropped is { } rule ? rule.TraceType == "policy" ? "dropped:nft-policy" : "dropped:nft-rule" : $"dropped:{last.DropReason ?? "unknown"}",
        "forwarded" => "forwarded-out",
        "delivered" or "consumed" => last.Verdict,
        _ => last.IncompleteReason == "timeout" ? "timeout" : "incomplete",
    };

    private List<string> Reasons(JourneyHops journey, ref string outcome)
    {
        List<string> reasons = [];
        bool hasHole = false;
        foreach (Hop hop in journey.Hops.Where(hop => !hop.IsComplete))
        {
            reasons.Add($"at {facts.NameOf(hop.Node)}: {hop.IncompleteReason}");
        }
        foreach (Join join in journey.Joins.Where(join => join.UnseenRouters > 0))
        {
            hasHole = true;
            reasons.Add(string.Create(CultureInfo.InvariantCulture, $"{join.UnseenRouters} unseen router(s) between {facts.NameOf(join.From.Node)} and {facts.NameOf(join.To.Node)}"));
        }
        if (journey.Ambiguous.Count > 0)
        {
            reasons.Add(string.Create(CultureInfo.InvariantCulture, $"ambiguous: {journey.Ambiguous.Max(join => join.Candidates)} packets look alike"));
        }
        if (journey.Alike > 0)
        {
            reasons.Add(string.Create(CultureInfo.InvariantCulture, $"ambiguous: {journey.Alike} traces look alike"));
        }
        Hop last = journey.Hops[^1];
        if (facts.Expected.After(last) is { } expected)
        {
            hasHole = true;
            outcome = "incomplete";
            reasons.Add($"expected next at {facts.NameOf(expected)}, not seen there");
        }
        if (IsHidden(last))
        {
            hasHole = true;
            reasons.Add($"the session's filter does not match what left {facts.NameOf(last.Node)}: later hops may be hidden by it");
        }
        if (hasHole || outcome == "forwarded-out")
        {
            reasons.AddRange(facts.Scope.Blind.Where(node => !journey.Hops.Any(hop => hop.Node == node.Key)).Select(node => $"{facts.NameOf(node.Key)} sees nothing of this session: {node.Value}"));
        }
        reasons.AddRange(Losses(journey, hasHole || outcome == "forwarded-out"));
        return reasons;
    }

    /// <summary>By the same measure what came in must pass: a filter that asks for what a trace does not keep says nothing.</summary>
    private bool IsHidden(Hop last) => facts.Scope.Filter is { } passes && last is { Verdict: "forwarded", In: { } came, Out: { } left } && came.Endpoints != left.Endpoints
        && passes(Header(last, came)) && !passes(Header(last, left));

    private static PacketSide Header(Hop hop, HopSide side) => new()
    {
        Ifindex = 0,
        Protocol = hop.Protocol,
        SrcIp = Address(side.Endpoints.Source),
        DstIp = Address(side.Endpoints.Destination),
        SrcPort = Port(side.Endpoints, side.Endpoints.SourcePort),
        DstPort = Port(side.Endpoints, side.Endpoints.DestinationPort),
        Ttl = side.Ttl,
        IpId = side.IpId,
        TcpSeq = side.TcpSeq,
        Length = side.PayloadLength + 40,
        PayloadLength = side.PayloadLength,
    };

    /// <summary>Of its own nodes always; of others where one of them may have had it.</summary>
    private IEnumerable<string> Losses(JourneyHops journey, bool asksOthers)
    {
        foreach (StoredLoss loss in facts.Losses)
        {
            if (loss.Count == 0 || _harmless.Contains(loss.Stage))
            {
                continue;
            }
            Hop? own = journey.Hops.FirstOrDefault(hop => hop.Node == loss.NodeId);
            if (own is null ? asksOthers && loss.FromNs <= journey.Hops[^1].OutNs && loss.ToNs >= journey.Hops[0].InNs : loss.FromNs <= own.LastNs && loss.ToNs >= own.FirstNs)
            {
                string what = loss.Stage == "node-down" ? "offline" : loss.Stage;
                yield return $"{facts.NameOf(loss.NodeId)} {what} {Clock(loss.FromNs)}–{Clock(loss.ToNs)}";
            }
        }
    }

    private HopRecord Write(Hop hop, JourneyHops journey) => new()
    {
        TraceId = hop.Id.ToString(),
        NodeId = hop.Node,
        NodeName = facts.NameOf(hop.Node),
        FirstSeen = TraceTime.Format(hop.FirstNs),
        LastSeen = TraceTime.Format(hop.LastNs),
        FirstSeenAligned = TraceTime.Format(hop.InNs),
        ClockOffsetNs = hop.ClockOffsetNs,
        ClockBoundNs = hop.ClockBoundNs,
        DurationNs = hop.LastNs - hop.FirstNs,
        In = Write(hop.In),
        Out = Write(hop.Out),
        Translated = hop is { In: { } came, Out: { } left } && came.Endpoints != left.Endpoints,
        Verdict = hop.Verdict,
        DropReason = hop.DropReason,
        Rule = hop.Dropped is { } rule ? new HopRuleRecord { TraceType = rule.TraceType, Family = rule.Family, Table = rule.Table, Chain = rule.Chain, Handle = rule.Handle, Text = rule.Text } : null,
        Join = journey.Joins.FirstOrDefault(join => join.To.Id == hop.Id) is { } join ? Write(join) : null,
        ExpectedNext = ReferenceEquals(hop, journey.Hops[^1]) && facts.Expected.After(hop) is { } expected ? facts.NameOf(expected) : null,
    };

    private JoinRecord Write(Join join)
    {
        ClockDifference clocks = facts.Clocks.Between(join.From, join.To);
        return new JoinRecord
        {
            Kind = join.Name,
            FromTraceId = join.From.Id.ToString(),
            ToTraceId = join.To.Id.ToString(),
            Evidence = join.Evidence,
            UnseenRouters = join.UnseenRouters,
            LatencyNs = join.To.FirstNs - join.From.LastNs - clocks.OffsetNs,
            LatencyBoundNs = clocks.BoundNs,
        };
    }

    private static HopSideRecord? Write(HopSide? side) => side is null ? null : new HopSideRecord
    {
        Device = side.Device,
        SrcIp = Address(side.Endpoints.Source),
        DstIp = Address(side.Endpoints.Destination),
        SrcPort = Port(side.Endpoints, side.Endpoints.SourcePort),
        DstPort = Port(side.Endpoints, side.Endpoints.DestinationPort),
        Ttl = side.Ttl,
    };

    private string Sentence(string[] path, Hop last, string outcome, string[] reasons)
    {
        string end = facts.NameOf(last.Node);
        string way = path.Length > 1 ? $" on the way {string.Join(" > ", path)}" : "";
        string what = last.Dropped is { } rule && outcome.StartsWith("dropped:nft", StringComparison.Ordinal)
            ? rule.TraceType == "policy" ? $"Dropped at {end} by the policy of {rule.Family} {rule.Table} {rule.Chain}"
                : $"Dropped at {end} in {rule.Family} {rule.Table} {rule.Chain} by rule {rule.Handle?.ToString(CultureInfo.InvariantCulture) ?? "?"}{(rule.Text is { } text ? $" \"{text}\"" : "")}"
            : outcome switch
            {
                "delivered" => $"Delivered at {end}",
                "consumed" => $"Consumed at {end}",
                "forwarded-out" => $"Left the observed network at {end}{(last.Out?.Device is { } device ? $" through {device}" : "")}",
                "timeout" => $"Last seen at {end}, then silence",
                "incomplete" => $"Last seen at {end}",
                _ => $"Dropped at {end}: {outcome["dropped:".Length..]}",
            };
        return $"{what}{way}{(reasons.Length == 0 ? "" : $"; not known: {reasons[0]}{(reasons.Length > 1 ? $" and {reasons.Length - 1} more" : "")}")}";
    }

    private static string? Address(UInt128 address)
    {
        if (address == 0)
        {
            return null;
        }
        Span<byte> bytes = stackalloc byte[16];
        System.Buffers.Binary.BinaryPrimitives.WriteUInt128BigEndian(bytes, address);
        IPAddress ip = new(bytes);
        return (ip.IsIPv4MappedToIPv6 ? ip.MapToIPv4() : ip).ToString();
    }

    private static int? Port(Endpoints endpoints, ushort port) => endpoints.Protocol is 6 or 17 or 132 or 136 ? port : null;

    private static string Clock(long ns) => TraceTime.FromUnixNs(ns).ToString("HH:mm:ss.fff", CultureInfo.InvariantCulture);
}
