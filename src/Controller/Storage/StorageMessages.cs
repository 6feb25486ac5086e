using NftCluster.Actors;
using NftCluster.Messages.Link;

namespace NftCluster.Controller.Storage;

/// <summary>What the only writer of traces is told.</summary>
internal abstract record StorageMessage;

/// <summary>Order: make these durable. Answered when they are, or with the reason why none is.</summary>
internal sealed record CommitFrames(IReadOnlyList<IngestFrame> Frames, ActorRef<FramesCommitted> ReplyTo) : StorageMessage;

/// <summary>Asks what is committed of a node, epoch by epoch.</summary>
internal sealed record GetCommitted(string NodeId, ActorRef<NodeCommitted> ReplyTo) : StorageMessage;

/// <summary>Order: remove what is too old or too much. Answered with what went.</summary>
internal sealed record ApplyRetention(RetentionLimits Limits, ActorRef<RetentionDone> ReplyTo) : StorageMessage;

/// <summary>Order: remove all of one session.</summary>
internal sealed record RemoveSession(string SessionId, ActorRef<RetentionDone> ReplyTo) : StorageMessage;

/// <summary>Fact: the node's clock minus ours, in ns, and how far that may be off.</summary>
internal sealed record ClockSeen(NodeClock Clock) : StorageMessage;

/// <summary><paramref name="AtNs"/> = when that was so, ns since 1970 on our clock.</summary>
internal sealed record NodeClock(string NodeId, long OffsetNs, long BoundNs, long AtNs);

/// <summary>Order to itself, behind the commits that wait already: one transaction for all of them.</summary>
internal sealed record CommitWaiting : StorageMessage;

/// <summary>One frame as it came, and what is in it.</summary>
internal sealed record IngestFrame(string NodeId, Data Frame, Payload Payload, DateTimeOffset ReceivedAt)
{
    public ulong Epoch => Frame.Epoch;

    public ulong Sequence => Frame.Sequence;

    public ReadOnlyMemory<byte> Compressed => Frame.Payload.Memory;
}

/// <summary>Durable: this sequence of that epoch and all before it.</summary>
internal sealed record CommittedUpTo(string NodeId, ulong Epoch, ulong Sequence);

/// <summary>A number that was stored with other content, or one that leaves a hole before it: not stored.</summary>
internal sealed record FrameConflict(string NodeId, ulong Epoch, ulong Sequence, string Text);

/// <summary>An error (a full disk): nothing of it is stored, the node keeps it all.</summary>
internal sealed record FramesCommitted(IReadOnlyList<CommittedUpTo> Committed, IReadOnlyList<FrameConflict> Conflicts, string? Error);

internal sealed record NodeCommitted(IReadOnlyList<CommittedUpTo> Epochs, string? Error);

/// <summary>0 = no limit.</summary>
internal sealed record RetentionLimits(TimeSpan Age, long Bytes);

internal sealed record RetentionDone(long Frames, long Traces, string? Error);
