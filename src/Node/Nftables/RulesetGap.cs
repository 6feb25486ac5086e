namespace NftCluster.Node.Nftables;

/// <summary>Why something of a stretch of time is not known.</summary>
internal enum RulesetGapKind
{
    /// <summary>Generations that nobody could read: their verdicts stay without a text.</summary>
    Unread,

    /// <summary>Announcements that the kernel had no room for: when these generations began is known less well.</summary>
    Unheard,

    /// <summary>Generations that judged and were given up for want of room: later verdicts of theirs stay without a text.</summary>
    Evicted,

    /// <summary>Chains were in force before nft's trace was switched on for them: their verdicts in between were not seen.</summary>
    Unmarked,
}

/// <summary>A stretch of time in which verdicts stay without a text, or were not seen; times are CLOCK_MONOTONIC.</summary>
internal readonly record struct RulesetGap(RulesetGapKind Kind, long FromNs, long ToNs, long Count);
