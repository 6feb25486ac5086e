namespace NftCluster.Node.Nftables;

/// <summary>What the watcher tells: facts, in the order in which they were observed by each of its two threads. Times are CLOCK_MONOTONIC.</summary>
internal abstract record RulesetFact;

/// <summary>
/// The kernel announced a generation; it was in force before <paramref name="ReceivedNs"/>. Id and name are those of the thread
/// that changed the ruleset: for nft the process itself.
/// </summary>
internal sealed record GenerationSeen(uint Generation, long ReceivedNs, int ProcessId, string? ProcessName) : RulesetFact;

/// <summary>The kernel said which generation was in force at some moment between the two times.</summary>
internal sealed record GenerationConfirmed(uint Generation, long AskedNs, long AnsweredNs) : RulesetFact;

/// <summary>A whole generation was read, and was still in force at some moment between the two times.</summary>
internal sealed record RulesetRead(Ruleset Ruleset, long AskedNs, long AnsweredNs) : RulesetFact;

/// <summary>The kernel could not keep so many announcements for us.</summary>
internal sealed record AnnouncementsLost(long ReceivedNs, long Messages = 1) : RulesetFact;

/// <summary>Chains came into force at the earliest at the first time, and nft's trace was switched on for them at the second.</summary>
internal sealed record TracingRearmed(long FromNs, long ToNs) : RulesetFact;

/// <summary>The watcher cannot go on; nothing is known from here on.</summary>
internal sealed record WatchFailed(Exception Error) : RulesetFact;
