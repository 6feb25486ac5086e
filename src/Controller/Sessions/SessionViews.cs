using NftCluster.Messages;

namespace NftCluster.Controller.Sessions;

/// <summary>A session as it is now: immutable, made by its actor, safe to hand to anybody.</summary>
internal sealed record ClusterSessionView
{
    public required string Id { get; init; }

    public required string Name { get; init; }

    /// <summary>The user who made it.</summary>
    public required string Owner { get; init; }

    /// <summary>CREATED, STARTING, RUNNING, STOPPING, EXPORTING, STOPPED or FAILED (design §6).</summary>
    public required string State { get; init; }

    public required bool IsPaused { get; init; }

    public string? FailureReason { get; init; }

    public required SessionRequest Request { get; init; }

    /// <summary>Raised at each change of what its nodes are to do.</summary>
    public required ulong Generation { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset? StartedAt { get; init; }

    public DateTimeOffset? EndsAt { get; init; }

    public DateTimeOffset? StoppedAt { get; init; }

    /// <summary>Why it was stopped: a user's name, or the limit that was reached.</summary>
    public string? StopReason { get; init; }

    public required IReadOnlyList<NodeSessionView> Nodes { get; init; }

    /// <summary>Of all nodes, summed; null = no node has reported yet.</summary>
    public StatisticsRecord? Statistics { get; init; }
}

/// <summary>One node's part in a session. One that fails never fails the rest.</summary>
internal sealed record NodeSessionView
{
    public required string NodeId { get; init; }

    public required string NodeName { get; init; }

    /// <summary>WAITING (not told yet, or offline), else the state that the node reports.</summary>
    public required string State { get; init; }

    public string? FailureReason { get; init; }

    /// <summary>Of the session, as the node last observed it; smaller than the session's: it is behind.</summary>
    public required ulong ObservedGeneration { get; init; }

    public required bool IsConnected { get; init; }

    /// <summary>0 = every packet; else the node keeps packets whose hash is below, because of <see cref="SampleReason"/>.</summary>
    public ulong SampleThreshold { get; init; }

    public string? SampleReason { get; init; }

    public StatisticsRecord? Statistics { get; init; }
}
