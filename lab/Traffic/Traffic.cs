using System.Net;
using System.Net.Sockets;

namespace NftCluster.Lab;

/// <summary>Real packets between two hosts of a lab, counted at both ends.</summary>
public static class Traffic
{
    /// <summary>Numbers each UDP packet (32 bits, big endian, first in the payload).</summary>
    public const int NumberBytes = 4;

    /// <summary>Leaves room for the headers in the largest IPv6 datagram without extension.</summary>
    public const int MaxSize = 65_000;

    // RFC 5737 and RFC 3849: addresses for documentation, so nobody's route leads there by accident.
    private static readonly IPAddress _nowhere4 = IPAddress.Parse("203.0.113.9");
    private static readonly IPAddress _nowhere6 = IPAddress.Parse("2001:db8::9");

    public static TrafficResult Ping(LabNetwork lab, TrafficRequest request) => Run(lab, TrafficKind.Ping, request);

    public static TrafficResult Udp(LabNetwork lab, TrafficRequest request) => Run(lab, TrafficKind.Udp, request);

    public static TrafficResult Tcp(LabNetwork lab, TrafficRequest request) => Run(lab, TrafficKind.Tcp, request);

    public static TrafficResult Closed(LabNetwork lab, TrafficRequest request) => Run(lab, TrafficKind.Closed, request);

    public static TrafficResult NoRoute(LabNetwork lab, TrafficRequest request) => Run(lab, TrafficKind.NoRoute, request);

    public static TrafficResult Flood(LabNetwork lab, TrafficRequest request) => Run(lab, TrafficKind.Flood, request);

    /// <summary>Sends and waits for what is still under way; returns at most a few seconds after the request's limit.</summary>
    public static TrafficResult Run(LabNetwork lab, TrafficKind kind, TrafficRequest request)
    {
        Check(kind, request);
        AddressFamily family = request.Ipv6 ? AddressFamily.InterNetworkV6 : AddressFamily.InterNetwork;
        string from = request.From ?? lab.Topology.Hosts[0].Name;
        string to = request.To ?? lab.Topology.Hosts[^1].Name;
        var path = new TrafficPath
        {
            Kind = kind,
            From = from,
            To = to,
            FromNamespace = lab.NamespaceOf(from),
            ToNamespace = lab.NamespaceOf(to),
            Source = lab.AddressOf(from, family),
            Destination = kind != TrafficKind.NoRoute ? lab.AddressOf(to, family) : request.Ipv6 ? _nowhere6 : _nowhere4,
            Port = request.Port != 0 ? request.Port : UsualPort(kind),
        };
        try
        {
            return Send(kind, path, request);
        }
        catch (SocketException exception)
        {
            throw new LabException($"{kind.ToString().ToLowerInvariant()} from {from} to {path.Destination}: {exception.Message}: is the lab whole? ('nftcluster lab up' builds it anew)", exception);
        }
    }

    private static TrafficResult Send(TrafficKind kind, TrafficPath path, TrafficRequest request) => kind switch
    {
        TrafficKind.Ping => PingTraffic.Send(path, request),
        TrafficKind.Udp => UdpTraffic.Send(path, request),
        TrafficKind.Tcp => TcpTraffic.Send(path, request),
        TrafficKind.Closed or TrafficKind.NoRoute => RefusedTraffic.Send(path, request),
        TrafficKind.Flood => FloodTraffic.Send(path, request),
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "not a kind of traffic"),
    };

    // 9 is "discard": nobody listens there in a lab. 7 is "echo".
    private static int UsualPort(TrafficKind kind) => kind switch
    {
        TrafficKind.Tcp => 7,
        TrafficKind.Closed or TrafficKind.NoRoute => 9,
        _ => UdpTraffic.BasePort,
    };

    private static void Check(TrafficKind kind, TrafficRequest request)
    {
        int highestPort = request.SpreadPorts ? 65_535 - UdpTraffic.SpreadOver + 1 : 65_535;
        string? error =
            request.Count < 1 ? $"the count {request.Count} is not usable: send at least 1."
            : request.Size is < NumberBytes or > MaxSize ? $"the size {request.Size} is not usable: use {NumberBytes} to {MaxSize} bytes."
            : !double.IsFinite(request.Rate) || request.Rate < 0 ? $"the rate {request.Rate} is not usable: use packets per second, or 0 for flat out."
            : request.Limit <= TimeSpan.Zero || request.Limit > TimeSpan.FromHours(1) ? $"{request.Limit.TotalSeconds} seconds are not usable: use more than 0, at most 3600."
            : request.Port < 0 || request.Port > highestPort ? $"the port {request.Port} is not usable: use 1 to {highestPort}."
            : request.SourcePort is < 0 or > 65_535 ? $"the source port {request.SourcePort} is not usable: use 1 to 65535."
            : request.SpreadPorts && kind != TrafficKind.Udp ? "only udp traffic can spread its ports."
            : null;
        if (error is not null)
        {
            throw new LabException(error);
        }
    }
}

/// <summary>The two ends of some traffic, resolved.</summary>
internal sealed record TrafficPath
{
    public required TrafficKind Kind { get; init; }

    public required string From { get; init; }

    public required string To { get; init; }

    public required string FromNamespace { get; init; }

    public required string ToNamespace { get; init; }

    public required IPAddress Source { get; init; }

    public required IPAddress Destination { get; init; }

    public required int Port { get; init; }

    public bool IsIpv6 => Destination.AddressFamily == AddressFamily.InterNetworkV6;

    public Socket UdpSocket() => new(Destination.AddressFamily, SocketType.Dgram, ProtocolType.Udp);

    public TrafficResult Result(long sent, long received, TimeSpan elapsed, long duplicates = 0) => new()
    {
        Kind = Kind,
        From = From,
        To = To,
        Destination = Destination.ToString(),
        Sent = sent,
        Received = received,
        Duplicates = duplicates,
        Seconds = elapsed.TotalSeconds,
    };
}
