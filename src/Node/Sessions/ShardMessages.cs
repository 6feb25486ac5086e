using NftCluster.Node.Kernel;
using NftCluster.Node.Pipeline;

namespace NftCluster.Node.Sessions;

/// <summary>What the actor that owns a session's packet traces is told.</summary>
internal abstract record ShardMessage;

/// <summary>Records from the ring; the receiver releases the batch.</summary>
internal sealed record EventsRead(EventBatch Batch) : ShardMessage;

/// <summary>The ring was empty; the receiver releases the notice.</summary>
internal sealed record RingDrained(DrainNotice Notice) : ShardMessage;

/// <summary>No further event will come for this session: close what is open, then say <see cref="TracesClosed"/>.</summary>
internal sealed record CloseTraces : ShardMessage;

/// <summary>Asks for the numbers so far.</summary>
internal sealed record GetShardStatistics(Actors.ActorRef<StatisticsSnapshot> ReplyTo) : ShardMessage;
