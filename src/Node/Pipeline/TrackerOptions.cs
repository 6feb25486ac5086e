namespace NftCluster.Node.Pipeline;

/// <summary>The windows and bounds of identity, as data.</summary>
internal sealed record TrackerOptions
{
    /// <summary>A true repeat (same packet, function, device and header) within this is counted, not kept.</summary>
    public ulong RepeatWindowNs { get; init; } = 1_000_000;

    /// <summary>After net_dev_start_xmit without further events the packet has left. A veth pair or a stacked device goes on within microseconds.</summary>
    public ulong GraceNs { get; init; } = 10_000_000;

    /// <summary>A packet without any event for this long is closed as it is.</summary>
    public ulong TimeoutNs { get; init; } = 5_000_000_000;

    /// <summary>The same nft verdict on the same packet once more within this is a true repeat.</summary>
    public ulong NftRepeatWindowNs { get; init; } = 5_000;

    /// <summary>Verdicts whose packet could not be told stand as traces of their own; else they are only counted (a filter may not want them).</summary>
    public bool ShowsUnjoinedVerdicts { get; init; } = true;

    /// <summary>Traces keep their payload's first bytes.</summary>
    public bool KeepsPayload { get; init; }

    /// <summary>Open traces; the one without events for longest is evicted, and counted.</summary>
    public int MaxOpen { get; init; } = 100_000;
}
