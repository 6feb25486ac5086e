using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using NftCluster.Lab;

namespace NftCluster.Tests.Truth;

/// <summary>Reads a captured Ethernet frame. On purpose not with the product's parser: the truth must not share its mistakes.</summary>
internal static class CapturedPacket
{
    private const int Ethernet = 14;
    private const int Tagged = 0x8100;
    private const int Tag = 4;
    private const string FlagNames = "FSRP.UEW";

    // tcpdump's order: SYN and FIN first, ACK last.
    private static readonly int[] _flagOrder = [1, 0, 2, 3, 5, 6, 7, 4];

    public static Packet Parse(PcapPacket captured)
    {
        ReadOnlySpan<byte> frame = captured.Bytes.Span;
        int type = BinaryPrimitives.ReadUInt16BigEndian(frame[12..]);
        if (type != Tagged)
        {
            return Parse(type, frame[Ethernet..], captured.OriginalLength - Ethernet);
        }
        int inner = BinaryPrimitives.ReadUInt16BigEndian(frame[(Ethernet + 2)..]);
        return Parse(inner, frame[(Ethernet + Tag)..], captured.OriginalLength - Ethernet - Tag) with { Vlan = BinaryPrimitives.ReadUInt16BigEndian(frame[Ethernet..]) & 0xfff };
    }

    private static Packet Parse(int type, ReadOnlySpan<byte> network, int bytes)
    {
        return type switch
        {
            0x0800 => Ipv4(network),
            0x86dd => Ipv6(network),
            0x0806 => new Packet { Protocol = "ARP", Source = Address(network[14..18]), Destination = Address(network[24..28]), Length = bytes },
            _ => new Packet { Protocol = string.Create(CultureInfo.InvariantCulture, $"ether-0x{type:x4}"), Length = bytes },
        };
    }

    private static Packet Ipv4(ReadOnlySpan<byte> ip)
    {
        int header = (ip[0] & 0xf) * 4;
        int total = BinaryPrimitives.ReadUInt16BigEndian(ip[2..]);
        return Transport(ip[9], ip[header..], total - header, new Packet
        {
            Protocol = "",
            Source = Address(ip[12..16]),
            Destination = Address(ip[16..20]),
            Ttl = ip[8],
            IpId = BinaryPrimitives.ReadUInt16BigEndian(ip[4..]),
            Length = total,
        });
    }

    private static Packet Ipv6(ReadOnlySpan<byte> ip)
    {
        int payload = BinaryPrimitives.ReadUInt16BigEndian(ip[4..]);
        int next = ip[6];
        int header = 40;
        if (next == 0)
        {
            // Hop-by-hop options, as before MLD reports.
            next = ip[40];
            header += 8 + (ip[41] * 8);
        }
        return Transport(next, ip[header..], payload + 40 - header, new Packet
        {
            Protocol = "",
            Source = Address(ip[8..24]),
            Destination = Address(ip[24..40]),
            Ttl = ip[7],
            Length = payload + 40,
        });
    }

    private static Packet Transport(int protocol, ReadOnlySpan<byte> bytes, int length, Packet packet) => protocol switch
    {
        6 => packet with
        {
            Protocol = "TCP",
            SourcePort = BinaryPrimitives.ReadUInt16BigEndian(bytes),
            DestinationPort = BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]),
            Seq = BinaryPrimitives.ReadUInt32BigEndian(bytes[4..]),
            Ack = BinaryPrimitives.ReadUInt32BigEndian(bytes[8..]),
            Flags = Flags(bytes[13]),
            Payload = length - ((bytes[12] >> 4) * 4),
        },
        17 => packet with
        {
            Protocol = "UDP",
            SourcePort = BinaryPrimitives.ReadUInt16BigEndian(bytes),
            DestinationPort = BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]),
            Payload = length - 8,
        },
        1 or 58 => packet with
        {
            Protocol = protocol == 1 ? "ICMP" : "ICMPv6",
            Icmp = Icmp(bytes),
            Payload = length - 8,
        },
        _ => packet with { Protocol = string.Create(CultureInfo.InvariantCulture, $"ip-{protocol}"), Payload = length },
    };

    private static string Icmp(ReadOnlySpan<byte> icmp)
    {
        bool echo = icmp[0] is 0 or 8 or 128 or 129;
        return Packet.IcmpWords(icmp[0], icmp[1], echo ? BinaryPrimitives.ReadUInt16BigEndian(icmp[4..]) : null, echo ? BinaryPrimitives.ReadUInt16BigEndian(icmp[6..]) : null);
    }

    private static string Flags(byte flags)
    {
        string text = string.Concat(_flagOrder.Where(bit => (flags & (1 << bit)) != 0).Select(bit => FlagNames[bit]));
        return text.Length == 0 ? "none" : text;
    }

    private static string Address(ReadOnlySpan<byte> bytes) => new IPAddress(bytes).ToString();
}
