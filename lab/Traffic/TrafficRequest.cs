namespace NftCluster.Lab;

/// <summary>What kind of packets to send.</summary>
public enum TrafficKind
{
    Ping,
    Udp,
    Tcp,

    /// <summary>UDP to a port nobody listens on.</summary>
    Closed,

    /// <summary>UDP to an address the first router has no route to.</summary>
    NoRoute,

    /// <summary>UDP as fast as one core can.</summary>
    Flood,
}

/// <summary>How much traffic to send, between whom and how fast.</summary>
public sealed record TrafficRequest
{
    /// <summary>The first host of the topology when null.</summary>
    public string? From { get; init; }

    /// <summary>The last host of the topology when null.</summary>
    public string? To { get; init; }

    public int Count { get; init; } = 1;

    /// <summary>Packets (for TCP: connections) per second; 0 is flat out.</summary>
    public double Rate { get; init; }

    /// <summary>Payload bytes per packet; for TCP per connection and direction.</summary>
    public int Size { get; init; } = 32;

    /// <summary>Sending ends after this time even if not everything was sent.</summary>
    public TimeSpan Limit { get; init; } = TimeSpan.FromSeconds(30);

    public bool Ipv6 { get; init; }

    /// <summary>The destination port; 0 is the kind's usual one.</summary>
    public int Port { get; init; }

    /// <summary>The source port of UDP; 0 lets the kernel choose.</summary>
    public int SourcePort { get; init; }

    /// <summary>UDP packet i goes to port <see cref="Port"/> + i mod 1,000.</summary>
    public bool SpreadPorts { get; init; }
}

/// <summary>What was sent and what came back or arrived.</summary>
public sealed record TrafficResult
{
    public required TrafficKind Kind { get; init; }

    public required string From { get; init; }

    public required string To { get; init; }

    public required string Destination { get; init; }

    public required long Sent { get; init; }

    /// <summary>
    /// Ping: echo replies. UDP and flood: packets that reached the server's socket. TCP: connections whose payload came back whole.
    /// Closed and no route: ICMP errors that came back.
    /// </summary>
    public required long Received { get; init; }

    public long Duplicates { get; init; }

    public required double Seconds { get; init; }

    public double SentPerSecond => Seconds > 0 ? Sent / Seconds : 0;

    public double ReceivedPerSecond => Seconds > 0 ? Received / Seconds : 0;
}
