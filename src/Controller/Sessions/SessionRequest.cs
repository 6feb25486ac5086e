namespace NftCluster.Controller.Sessions;

/// <summary>What a user asks for: the part of a session that journal, nodes and API agree about.</summary>
internal sealed record SessionRequest
{
    public string? Name { get; init; }

    /// <summary>full or nft.</summary>
    public string Mode { get; init; } = "full";

    /// <summary>pcap-filter(7); empty = every packet.</summary>
    public string Filter { get; init; } = "";

    public string? Device { get; init; }

    public string? Netns { get; init; }

    /// <summary>VALUE or VALUE/MASK.</summary>
    public string? Mark { get; init; }

    /// <summary>valuable or all.</summary>
    public string Quality { get; init; } = "valuable";

    /// <summary>Names or sets of probes; empty = the mode's own.</summary>
    public IReadOnlyList<string> Probes { get; init; } = [];

    public NodeSelector Nodes { get; init; } = new();

    public SessionLimitsRequest Limits { get; init; } = new();

    /// <summary>Bytes of payload to keep; more than 0 needs a role of its own.</summary>
    public int SnapBytes { get; init; }
}

/// <summary>Which nodes take part, also those that join later. Empty = all.</summary>
internal sealed record NodeSelector
{
    /// <summary>Names or ids.</summary>
    public IReadOnlyList<string> Names { get; init; } = [];

    /// <summary>All of these must stand on the node, with these values.</summary>
    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);
}

/// <summary>0 or null = no limit.</summary>
internal sealed record SessionLimitsRequest
{
    public TimeSpan? Duration { get; init; }

    /// <summary>Of all nodes together: the session is stopped when it is reached.</summary>
    public long Packets { get; init; }

    public long PacketsPerNode { get; init; }

    public long EventsPerSecond { get; init; }

    public double CpuPercent { get; init; }

    public long MemoryBytes { get; init; }

    public long DiskBytes { get; init; }
}

/// <summary>What changes while the session runs; null = stays.</summary>
internal sealed record SessionPatch
{
    public string? Name { get; init; }

    public string? Filter { get; init; }

    public string? Quality { get; init; }

    public NodeSelector? Nodes { get; init; }

    public SessionLimitsRequest? Limits { get; init; }
}
