using System.Globalization;
using NftCluster.Messages;

namespace NftCluster.Tests.Truth;

/// <summary>What makes a packet itself on one device, taken from a capture or from a trace; equal when all of it is equal.</summary>
internal sealed record Packet
{
    public required string Protocol { get; init; }
    public string? Source { get; init; }
    public string? Destination { get; init; }
    public int? SourcePort { get; init; }
    public int? DestinationPort { get; init; }
    public int? Ttl { get; init; }
    public int? IpId { get; init; }
    public long Length { get; init; }
    public int? Payload { get; init; }
    public uint? Seq { get; init; }
    public uint? Ack { get; init; }
    public string? Flags { get; init; }
    public string? Icmp { get; init; }
    public int? Vlan { get; init; }

    /// <summary>What hosts say to each other on their own: neighbours, routers, group members. It comes when it wants.</summary>
    public bool IsChatter => Protocol == "ARP" || (Protocol == "ICMPv6" && Icmp is { } icmp && int.Parse(icmp.AsSpan(0, icmp.IndexOf('/', StringComparison.Ordinal)), CultureInfo.InvariantCulture) is >= 130 and <= 143) || Protocol == "ip-0";

    public static Packet Of(PacketSide side) => new()
    {
        Protocol = side.Protocol,
        Source = side.SrcIp,
        Destination = side.DstIp,
        SourcePort = side.SrcPort,
        DestinationPort = side.DstPort,
        Ttl = side.Ttl,
        IpId = side.IpId,
        Length = side.Length,
        Payload = side.PayloadLength,
        Seq = side.TcpSeq,
        Ack = side.TcpAck,
        Flags = side.TcpFlags,
        Vlan = side.VlanId,
        Icmp = side.IcmpType is null ? null : IcmpWords(side.IcmpType.Value, side.IcmpCode ?? 0, side.IcmpId, side.IcmpSeq),
    };

    /// <summary>The same packet one hop further; NAT may have changed addresses and ports, so they may be left out. A VLAN ends at the router.</summary>
    public Packet Onward(int hops, bool withAddresses) => this with
    {
        Ttl = Ttl - hops,
        Vlan = null,
        Source = withAddresses ? Source : null,
        Destination = withAddresses ? Destination : null,
        SourcePort = withAddresses ? SourcePort : null,
        DestinationPort = withAddresses ? DestinationPort : null,
    };

    public static string IcmpWords(int type, int code, int? id, int? seq) =>
        string.Create(CultureInfo.InvariantCulture, $"{type}/{code}{(id is null ? "" : $" id {id} seq {seq}")}");

    /// <summary>As tcpdump says it, more or less.</summary>
    public override string ToString()
    {
        CultureInfo culture = CultureInfo.InvariantCulture;
        string from = SourcePort is null ? $"{Source}" : string.Create(culture, $"{Source}.{SourcePort}");
        string to = DestinationPort is null ? $"{Destination}" : string.Create(culture, $"{Destination}.{DestinationPort}");
        string body = Flags is not null ? string.Create(culture, $"Flags [{Flags}], seq {Seq}, ack {Ack}, length {Payload}")
            : Icmp is not null ? string.Create(culture, $"{Protocol} {Icmp}, length {Payload}")
            : string.Create(culture, $"{Protocol}, length {Payload}");
        return string.Create(culture, $"{from} > {to}: {body} (ttl {Ttl}, id {IpId}, {Length} bytes{(Vlan is null ? "" : $", vlan {Vlan}")})");
    }
}
