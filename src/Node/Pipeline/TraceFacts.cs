namespace NftCluster.Node.Pipeline;

/// <summary>How far a packet has come; tells a repeated door from a step further.</summary>
internal enum TraceStage : byte
{
    None,
    Received,
    Sent,
    Queued,
    Left,
    Ended,
}

/// <summary>Facts that events establish, in any order.</summary>
[Flags]
internal enum TraceMarks : ushort
{
    None = 0,
    In = 1,
    Out = 2,
    Received = 4,
    Sent = 8,
    Queued = 16,
    Left = 32,
    Dropped = 64,
    Consumed = 128,
    LocalStack = 256,
    Delivered = 512,
    Truncated = 1024,

    /// <summary>A rule or a policy said drop.</summary>
    NftDropped = 2048,
    NftOnly = 4096,

    /// <summary>It came in by a device, but what it looked like then was not seen.</summary>
    CameUnseen = 8192,
}

/// <summary>Why a trace was closed.</summary>
internal enum TraceEnd : byte
{
    Open,
    Ended,
    Left,
    Replaced,
    Timeout,
    Evicted,
    Stopped,
}

internal enum Verdict : byte
{
    Unknown,
    Delivered,
    Forwarded,
    Dropped,
    Consumed,
}

internal enum TraceDirection : byte
{
    Unknown,
    Inbound,
    Forward,
    Outbound,
}
