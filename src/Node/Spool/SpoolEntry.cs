using NftCluster.Messages.Link;

namespace NftCluster.Node.Spool;

internal enum SpoolKind
{
    Traces = 1,
    Losses = 2,

    /// <summary>Cumulative: only the newest of a session that has no number yet is kept.</summary>
    Report = 3,

    /// <summary>Stands for traces that had to go; grows until it is given a number, and only then becomes a payload.</summary>
    Dropped = 4,
}

/// <summary>Something to be kept until the controller has it. The times are those of what is in it.</summary>
internal sealed record SpoolEntry(SpoolKind Kind, string Session, long FromNs, long ToNs, long Things, PackedPayload Payload);

/// <summary>A frame under its number: the same number always carries the same bytes.</summary>
internal sealed record SpoolFrame(long Id, ulong Epoch, ulong Sequence, PackedPayload Payload);

/// <summary>What is waiting, and what had to go since this process began.</summary>
internal sealed record SpoolLevelNow(long Bytes, long Frames, long DroppedTraces, long DroppedFrames, long OldestNs);
