using NftCluster.Actors;
using NftCluster.Messages;
using NftCluster.Node.Nftables;
using NftCluster.Node.Pipeline;

namespace NftCluster.Node.Sessions;

/// <summary>What a session is told, by its user, its node and its own parts.</summary>
internal abstract record SessionMessage;

/// <summary>Order: end, export, and answer when all is written.</summary>
internal sealed record StopSession(ActorRef<SessionEnded>? ReplyTo) : SessionMessage;

/// <summary>Order: from now on another filter. Answers null, or why not; the old filter then stays.</summary>
internal sealed record ChangeFilter(string? Expression, ActorRef<FilterAnswer> ReplyTo) : SessionMessage;

internal sealed record FilterAnswer(string? Error);

internal sealed record GetStatus(ActorRef<SessionStatus> ReplyTo) : SessionMessage;

/// <summary>Asks for the hits of each probe, indexed as in the catalog.</summary>
internal sealed record GetHits(ActorRef<HitCounts> ReplyTo) : SessionMessage;

internal sealed record HitCounts(IReadOnlyList<long> Hits);

internal sealed record SessionStatus(SessionState State, StatisticsRecord Statistics);

/// <summary>Fact, from the node: the kernel half writes this session's events.</summary>
internal sealed record EventsBegan : SessionMessage;

/// <summary>Fact, from the node: every event of this session has been handed to its shard.</summary>
internal sealed record EventsEnded : SessionMessage;

/// <summary>Fact, from the shard: the last numbers.</summary>
internal sealed record TracesClosed(StatisticsSnapshot Snapshot) : SessionMessage;

/// <summary>Fact, from the output: all is written; with it, what the ruleset's gaps were in the end.</summary>
internal sealed record OutputsCompleted(string? Error, IReadOnlyList<LossRecord> RulesetLosses) : SessionMessage;

/// <summary>Fact, from the output: what the ruleset's gaps are so far.</summary>
internal sealed record RulesetLost(IReadOnlyList<LossRecord> Losses) : SessionMessage;

/// <summary>Order: answer when the live outputs have written their last, or will write no more. A reader who stands still delays that, never the end of the session.</summary>
internal sealed record AwaitLive(ActorRef<LiveEnded> ReplyTo) : SessionMessage;

/// <summary>The error is one line, null when all was written (or nobody read any more).</summary>
internal sealed record LiveEnded(string? Error);

/// <summary>Fact: a live output cannot write. The session stops in order and still exports.</summary>
internal sealed record LiveFailed(string Error) : SessionMessage;

internal sealed record LiveCompleted(string? Error) : SessionMessage;

internal sealed record OutputFailed(string Error) : SessionMessage;

internal sealed record PacketLimitReached : SessionMessage;

/// <summary>Fact: handling one packet's event threw; that trace is lost and counted.</summary>
internal sealed record TraceFailed(string Error) : SessionMessage;

/// <summary>Fact, from the node: ways through this host that no probe sees.</summary>
internal sealed record PathsUnseen(IReadOnlyList<string> Ways) : SessionMessage;

/// <summary>Fact, from the node: what its watcher heard of the ruleset.</summary>
internal sealed record RulesetTold(RulesetFact Fact) : SessionMessage;

/// <summary>Order to itself: its end was told a while ago.</summary>
internal sealed record ForgetSession : SessionMessage;

/// <summary>Fact: a part of the session has died for good.</summary>
internal sealed record PartDied(string Part) : SessionMessage;

/// <summary>The end of a session, as its user is told it.</summary>
internal sealed record SessionEnded(SessionRecord Session, StatisticsRecord Statistics);
