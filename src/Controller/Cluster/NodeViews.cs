namespace NftCluster.Controller.Cluster;

/// <summary>A node as it is now: immutable, made by its actor.</summary>
internal sealed record NodeView
{
    public const string Connected = "connected";
    public const string Stale = "stale";
    public const string Offline = "offline";
    public const string Revoked = "revoked";

    public required string Id { get; init; }

    public required string Name { get; init; }

    public required IReadOnlyDictionary<string, string> Labels { get; init; }

    /// <summary>connected, stale (connected, but heartbeats are missing), offline or revoked.</summary>
    public required string State { get; init; }

    public string? Version { get; init; }

    public string? Hostname { get; init; }

    public string? KernelRelease { get; init; }

    public uint? Netns { get; init; }

    public uint? Protocol { get; init; }

    public string? RemoteAddress { get; init; }

    public DateTimeOffset JoinedAt { get; init; }

    public DateTimeOffset? ConnectedSince { get; init; }

    public DateTimeOffset? LastSeen { get; init; }

    /// <summary>Node's clock minus the controller's, and how far it may be off; null = not known yet.</summary>
    public long? ClockOffsetNs { get; init; }

    public long? ClockBoundNs { get; init; }

    public NodeLoad? Load { get; init; }

    public NodeSpool? Spool { get; init; }

    /// <summary>As in its last heartbeat: losses by stage since its epoch began, and others that people should see.</summary>
    public IReadOnlyDictionary<string, ulong> Counters { get; init; } = new Dictionary<string, ulong>(StringComparer.Ordinal);

    public DateTimeOffset? CertificateEnds { get; init; }

    /// <summary>The generation of the desired set that it has observed, and the one it should have.</summary>
    public ulong ObservedGeneration { get; init; }

    public ulong DesiredGeneration { get; init; }

    /// <summary>Why it is not what it should be; one line.</summary>
    public string? Problem { get; init; }
}

/// <summary>The only time a token is shown: what is stored is a hash of its secret.</summary>
internal sealed record JoinTokenView(string Token, DateTimeOffset ExpiresAt, int Uses);

/// <summary>Of the node's process; CPU in percent of one core.</summary>
internal sealed record NodeLoad(double CpuPercent, ulong ResidentBytes, double EventsPerSecond, uint OpenTraces)
{
    public static NodeLoad? Of(Messages.Link.Load? said) => said is null ? null : new(said.CpuPercent, said.ResidentBytes, said.EventsPerSecond, said.OpenTraces);
}

/// <summary>What the node has not been acknowledged yet, and what it had to give up.</summary>
internal sealed record NodeSpool(ulong Bytes, ulong Frames, ulong DroppedFrames, long OldestNs)
{
    public static NodeSpool? Of(Messages.Link.SpoolLevel? said) => said is null ? null : new(said.Bytes, said.Frames, said.DroppedFrames, said.OldestNs);
}
