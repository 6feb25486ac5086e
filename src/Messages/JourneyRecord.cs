namespace NftCluster.Messages;

/// <summary>The packet traces of one packet on all nodes, in hop order, with what is unknown between them. Times are RFC 3339, UTC, nanoseconds.</summary>
public sealed record JourneyRecord
{
    /// <summary>The first hop's trace; each of its hops' traces finds the journey, too.</summary>
    public required string Id { get; init; }
    public required string SessionId { get; init; }

    /// <summary>One sentence: where it went, and what became of it.</summary>
    public required string Summary { get; init; }

    /// <summary>Names of the nodes in hop order.</summary>
    public required IReadOnlyList<string> Path { get; init; }

    /// <summary>delivered, consumed, forwarded-out, dropped:nft-rule, dropped:nft-policy, dropped:REASON of the kernel, timeout or incomplete.</summary>
    public required string Outcome { get; init; }

    /// <summary>As it was first seen.</summary>
    public required string Protocol { get; init; }
    public string? SrcIp { get; init; }
    public string? DstIp { get; init; }
    public int? SrcPort { get; init; }
    public int? DstPort { get; init; }

    /// <summary>At the first hop, on the controller's clock.</summary>
    public required string FirstSeen { get; init; }

    /// <summary>From the first hop's first event to the last one's last, and how far that may be off (null = nothing is known of a clock).</summary>
    public required long LatencyNs { get; init; }
    public long? LatencyBoundNs { get; init; }

    /// <summary>False with reasons: what is not known of it, or may be missing.</summary>
    public required bool Complete { get; init; }
    public required IReadOnlyList<string> IncompleteReasons { get; init; }
    public required IReadOnlyList<HopRecord> Hops { get; init; }

    /// <summary>Joins that may be, of which none is followed.</summary>
    public required IReadOnlyList<JoinRecord> Ambiguous { get; init; }

    /// <summary>Where one journey is asked for: the journey of the next packet of its connection that went the other way (of a request, the reply); null = none was seen.</summary>
    public string? NextReverse { get; init; }

    /// <summary>The same, before it (of a reply, the request).</summary>
    public string? PreviousReverse { get; init; }
}

/// <summary>One packet trace's place in a journey. first_seen and last_seen are the node's own clock; aligned = minus clock_offset_ns.</summary>
public sealed record HopRecord
{
    public required string TraceId { get; init; }
    public required string NodeId { get; init; }
    public required string NodeName { get; init; }
    public required string FirstSeen { get; init; }
    public required string LastSeen { get; init; }
    public required string FirstSeenAligned { get; init; }
    public required long ClockOffsetNs { get; init; }
    public long? ClockBoundNs { get; init; }

    /// <summary>How long it stayed.</summary>
    public required long DurationNs { get; init; }
    public HopSideRecord? In { get; init; }
    public HopSideRecord? Out { get; init; }

    /// <summary>True where it left with other addresses or ports than it came with.</summary>
    public required bool Translated { get; init; }
    public required string Verdict { get; init; }
    public string? DropReason { get; init; }

    /// <summary>The nft rule or policy that dropped it.</summary>
    public HopRuleRecord? Rule { get; init; }

    /// <summary>Null at the first hop.</summary>
    public JoinRecord? Join { get; init; }

    /// <summary>Where other packets go that leave here through this device, where this one was not seen there; null = as expected.</summary>
    public string? ExpectedNext { get; init; }
}

/// <summary>The header on one side of a hop.</summary>
public sealed record HopSideRecord
{
    public string? Device { get; init; }
    public string? SrcIp { get; init; }
    public string? DstIp { get; init; }
    public int? SrcPort { get; init; }
    public int? DstPort { get; init; }
    public int? Ttl { get; init; }
}

public sealed record HopRuleRecord
{
    /// <summary>rule or policy.</summary>
    public required string TraceType { get; init; }
    public string? Family { get; init; }
    public string? Table { get; init; }
    public string? Chain { get; init; }
    public long? Handle { get; init; }
    public string? Text { get; init; }
}

/// <summary>How a hop is tied to the one before.</summary>
public sealed record JoinRecord
{
    /// <summary>exact, nat, content or ambiguous(n).</summary>
    public required string Kind { get; init; }
    public required string FromTraceId { get; init; }
    public required string ToTraceId { get; init; }
    public required string Evidence { get; init; }

    /// <summary>Routers between the two that nobody watches, by the TTL; null = it does not tell.</summary>
    public int? UnseenRouters { get; init; }

    /// <summary>Between the two hosts, on the controller's clock.</summary>
    public required long LatencyNs { get; init; }
    public long? LatencyBoundNs { get; init; }
}

/// <summary>All packets of one way and one outcome.</summary>
public sealed record PathRecord
{
    public required IReadOnlyList<string> Path { get; init; }
    public required string Outcome { get; init; }
    public required long Packets { get; init; }
    public required long Incomplete { get; init; }
    public required long LatencyMedianNs { get; init; }
    public required long LatencyP99Ns { get; init; }
    public required string FirstSeen { get; init; }
    public required string LastSeen { get; init; }
}
