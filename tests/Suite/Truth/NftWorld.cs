namespace NftCluster.Tests.Truth;

/// <summary>A ruleset for the router, what is sent through it, and the steps of each packet as derived from the ruleset by hand.</summary>
internal sealed record NftWorld
{
    public required string Ruleset { get; init; }

    public required IReadOnlyList<NftFlow> Flows { get; init; }

    /// <summary>Of each ICMP error that the router itself sends.</summary>
    public string Error { get; init; } = "";

    /// <summary>Its rules ask conntrack, so that it knows the packets.</summary>
    public bool IsTracked { get; init; }

    /// <summary>What the host takes from a TTL.</summary>
    public int Hops { get; init; } = 1;
}

/// <summary>How the packets of a flow are sent.</summary>
internal enum NftFlowKind
{
    /// <summary>Datagrams, each to a port of its own, each answered.</summary>
    Answered,

    /// <summary>Datagrams that nobody answers.</summary>
    Unanswered,

    /// <summary>Datagrams that the router answers with an ICMP error.</summary>
    Rejected,

    /// <summary>Connections that carry data.</summary>
    Connections,

    /// <summary>Connections that the router refuses.</summary>
    Refused,
}

/// <summary>Packets that all go the same way; datagrams to Port, Port + 1 …</summary>
internal sealed record NftFlow(NftFlowKind Kind, int Port)
{
    /// <summary>Of a connection's first packet.</summary>
    public required string First { get; init; }

    /// <summary>Of those after it, the same way; null = the same steps.</summary>
    public string? Later { get; init; }

    /// <summary>Of what comes back.</summary>
    public string? Back { get; init; }

    public string To { get; init; } = "server";

    /// <summary>A rule says notrack.</summary>
    public bool IsUntracked { get; init; }

    /// <summary>The router's own port that answers, instead of the server's.</summary>
    public int? RouterPort { get; init; }

    /// <summary>What NAT makes of the first packet, where it does.</summary>
    public string? OutSource { get; init; }

    public string? OutDestination { get; init; }
}
