using NftCluster.Actors;
using NftCluster.Node.Kernel;
using NftCluster.Node.Nftables;

namespace NftCluster.Node.Sessions;

/// <summary>What the actor that owns the kernel half is told.</summary>
internal abstract record NodeMessage;

/// <summary>Order: a new session. Answers with its address once events flow, or with why not.</summary>
internal sealed record OpenSession(SessionSpec Spec, ActorRef<SessionOpened> ReplyTo) : NodeMessage;

/// <summary>The address is null when the error says why not.</summary>
internal sealed record SessionOpened(ActorRef<SessionMessage>? Session, string? Error);

/// <summary>Fact, from the poller: the session's shard gets batches from now on.</summary>
internal sealed record SessionReady(int Bit) : NodeMessage;

internal sealed record ReplaceFilter(int Bit, SessionWants Wants, ActorRef<FilterAnswer> ReplyTo) : NodeMessage;

/// <summary>Order: no more events for this bit; the session hears <see cref="EventsEnded"/> after the last one was handed over.</summary>
internal sealed record EndEvents(int Bit) : NodeMessage;

/// <summary>Fact, from the poller: all batches read before the order are with their shards.</summary>
internal sealed record EventsHandedOver(int Bit) : NodeMessage;

internal sealed record SessionGone(int Bit, ActorRef<SessionMessage> Session) : NodeMessage;

/// <summary>Order to itself: whoever waits for the first reading of the ruleset waits no more.</summary>
internal sealed record RulesetLate : NodeMessage;

/// <summary>Fact, from the ruleset's watcher.</summary>
internal sealed record RulesetHeard(RulesetFact Fact) : NodeMessage;

internal sealed record GetKernelCounts(ActorRef<KernelCounts> ReplyTo) : NodeMessage;

/// <summary>Asks for a generation that was read while this ran.</summary>
internal sealed record GetRuleset(uint Generation, ActorRef<KeptRuleset> ReplyTo) : NodeMessage;

/// <summary>Null: it was never read, or is too old.</summary>
internal sealed record KeptRuleset(Nftables.Ruleset? Ruleset);

internal sealed record GetProbes(ActorRef<ProbeListing> ReplyTo) : NodeMessage;

/// <summary>The catalog on this kernel; hits without a packet and misses by row; what passes by all of them.</summary>
internal sealed record ProbeListing(IReadOnlyList<ProbeState> Probes, IReadOnlyList<long> Counted, IReadOnlyList<long> Misses, IReadOnlyList<string> Unseen);
