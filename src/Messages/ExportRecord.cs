namespace NftCluster.Messages;

/// <summary>The whole JSON export, in the order in which it is written. Read as a stream: <see cref="Traces"/> may be long.</summary>
public sealed record ExportRecord
{
    public required SessionRecord Session { get; init; }
    public required StatisticsRecord Statistics { get; init; }
    public required IReadOnlyList<TraceRecord> Traces { get; init; }
}

/// <summary>What was asked for and when it ran.</summary>
public sealed record SessionRecord
{
    public required string Id { get; init; }

    /// <summary>full (nft and both come with the NFT mode).</summary>
    public required string Mode { get; init; }

    /// <summary>CREATED, STARTING, RUNNING, STOPPING, EXPORTING, STOPPED or FAILED.</summary>
    public required string State { get; init; }

    /// <summary>RFC 3339, UTC, nanoseconds.</summary>
    public required string StartTime { get; init; }
    public string? EndTime { get; init; }
    public required string Host { get; init; }
    public required string KernelRelease { get; init; }
    public required string Version { get; init; }

    /// <summary>pcap-filter(7) expression; null = every packet.</summary>
    public string? Filter { get; init; }
    public string? Device { get; init; }
    public string? Netns { get; init; }
    public string? Mark { get; init; }

    /// <summary>Probes attached when the session ran; null = not known. Tells an empty capture from a blind one.</summary>
    public int? Probes { get; init; }

    /// <summary>valuable (see docs/export.md) or all.</summary>
    public required string Quality { get; init; }

    /// <summary>Ways through the host that no probe sees: flow tables, offloaded chains, XDP programs; null = none. What took one is missing without being lost.</summary>
    public IReadOnlyList<string>? NotVisible { get; init; }
    public string? FailureReason { get; init; }
}

/// <summary>Totals of a session. "packets" are packet traces: one per packet and namespace.</summary>
public sealed record StatisticsRecord
{
    public required long TotalEvents { get; init; }
    public required long TotalPackets { get; init; }
    public required long ValuablePackets { get; init; }
    public required long ExportedPackets { get; init; }

    /// <summary>Distinct functions and tracepoints that hit.</summary>
    public required int FunctionsTraced { get; init; }
    public required IReadOnlyList<FunctionCount> TopFunctions { get; init; }
    public required double EventsPerSecond { get; init; }
    public required IReadOnlyDictionary<string, long> Verdicts { get; init; }
    public required IReadOnlyDictionary<string, long> DropReasons { get; init; }
    public required long DuplicateEvents { get; init; }

    /// <summary>Every loss stage with its count, zeros included: what is not listed cannot be lost.</summary>
    public required IReadOnlyList<LossRecord> Losses { get; init; }
}

public sealed record FunctionCount(string Function, long Count);

/// <summary>"N things of kind K were lost at stage S between T1 and T2".</summary>
public sealed record LossRecord
{
    /// <summary>probe-missed, filter-unasked, call-untimed, ring-full, batch-lane-full, track-evicted, orphaned, trace-evicted, trace-failed, nft-unjoined, nft-message-lost, output-lane-full, live-lane-full, ruleset-unread, ruleset-unheard, ruleset-evicted or nft-unmarked.</summary>
    public required string Stage { get; init; }

    /// <summary>events, traces, batches, messages (of netlink), generations (of a ruleset) or intervals (of which it is not known how much was lost).</summary>
    public required string Kind { get; init; }
    public required long Count { get; init; }
    /// <summary>The begin of the interval, or, where a stage is only looked at now and then, the last look that saw no loss, at most a second before it; null = nothing lost.</summary>
    public string? From { get; init; }
    /// <summary>The first look that saw all of it.</summary>
    public string? To { get; init; }
}
