using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace NftCluster.Messages.Pcapng;

/// <summary>
/// A packet's first bytes from the IP header on, rebuilt from what a trace keeps of it. What is not kept stands as zero: TOS, IP and TCP options,
/// window, checksums of TCP and UDP; where the header was longer, the bytes end before its options, as if cut by the capture. The IP header's own checksum is right.
/// </summary>
public static class PacketBytes
{
    /// <summary>IPv6 with TCP and 32 bytes of payload: nothing is longer.</summary>
    public const int Most = 92;

    private const int IPv4Bytes = 20;
    private const int IPv6Bytes = 40;
    private const int FragmentBytes = 8;
    private const int TcpBytes = 20;
    private const int UdpBytes = 8;

    /// <summary>Fills <paramref name="bytes"/> (at least <see cref="Most"/>) and answers how many; 0 where the packet is no IP.</summary>
    public static int Write(PacketSide side, Span<byte> bytes)
    {
        if (!IPAddress.TryParse(side.SrcIp, out IPAddress? from) || !IPAddress.TryParse(side.DstIp, out IPAddress? to) || from.AddressFamily != to.AddressFamily || ProtocolNames.NumberOf(side.Protocol) is not { } protocol)
        {
            return 0;
        }
        bytes[..Most].Clear();
        return from.AddressFamily == AddressFamily.InterNetwork ? WriteIPv4(side, protocol, from, to, bytes) : WriteIPv6(side, protocol, from, to, bytes);
    }

    private static int WriteIPv4(PacketSide side, byte protocol, IPAddress from, IPAddress to, Span<byte> bytes)
    {
        bytes[0] = 0x45;
        // 0 = longer than the field holds: how an offloaded segment looks to any capture.
        BinaryPrimitives.WriteUInt16BigEndian(bytes[2..], side.Length <= ushort.MaxValue ? (ushort)side.Length : (ushort)0);
        BinaryPrimitives.WriteUInt16BigEndian(bytes[4..], (ushort)(side.IpId ?? 0));
        // Whether more follow is kept only of the first fragment: that it is one.
        BinaryPrimitives.WriteUInt16BigEndian(bytes[6..], (ushort)(((side.FragmentOffset ?? 0) / 8) | (side.FragmentOffset == 0 ? 0x2000 : 0)));
        bytes[8] = (byte)(side.Ttl ?? 0);
        bytes[9] = protocol;
        from.TryWriteBytes(bytes[12..16], out _);
        to.TryWriteBytes(bytes[16..20], out _);
        BinaryPrimitives.WriteUInt16BigEndian(bytes[10..], Checksum(bytes[..IPv4Bytes], 0));
        return IPv4Bytes + (side.FragmentOffset > 0 ? 0 : WriteTransport(side, protocol, 0, side.Length - IPv4Bytes, bytes[IPv4Bytes..]));
    }

    private static int WriteIPv6(PacketSide side, byte protocol, IPAddress from, IPAddress to, Span<byte> bytes)
    {
        bytes[0] = 0x60;
        long payload = Math.Max(0, side.Length - IPv6Bytes);
        BinaryPrimitives.WriteUInt16BigEndian(bytes[4..], payload <= ushort.MaxValue ? (ushort)payload : (ushort)0);
        bytes[6] = protocol;
        bytes[7] = (byte)(side.Ttl ?? 0);
        from.TryWriteBytes(bytes[8..24], out _);
        to.TryWriteBytes(bytes[24..40], out _);
        if (side.FragmentOffset is { } offset)
        {
            bytes[6] = 44;
            bytes[IPv6Bytes] = protocol;
            BinaryPrimitives.WriteUInt16BigEndian(bytes[(IPv6Bytes + 2)..], (ushort)((offset & ~7) | (offset == 0 ? 1 : 0)));
            return IPv6Bytes + FragmentBytes;
        }
        uint pseudo = Sum(bytes[8..40], 0) + protocol + (uint)payload;
        return IPv6Bytes + WriteTransport(side, protocol, pseudo, payload, bytes[IPv6Bytes..]);
    }

    private static int WriteTransport(PacketSide side, byte protocol, uint pseudo, long length, Span<byte> bytes)
    {
        switch (protocol)
        {
            case 6 when side.SrcPort is not null:
                WritePorts(side, bytes);
                BinaryPrimitives.WriteUInt32BigEndian(bytes[4..], side.TcpSeq ?? 0);
                BinaryPrimitives.WriteUInt32BigEndian(bytes[8..], side.TcpAck ?? 0);
                long header = length - (side.PayloadLength ?? 0);
                bytes[12] = (byte)((header is >= TcpBytes and <= 60 ? header / 4 : 5) << 4);
                bytes[13] = FlagsOf(side.TcpFlags);
                return TcpBytes + (header == TcpBytes ? WritePayload(side, bytes[TcpBytes..]) : 0);
            case 17 when side.SrcPort is not null:
                WritePorts(side, bytes);
                BinaryPrimitives.WriteUInt16BigEndian(bytes[4..], length <= ushort.MaxValue ? (ushort)Math.Max(length, UdpBytes) : (ushort)0);
                // Over IPv6 zero would be an error, not "none": all ones stands for "not kept" there.
                BinaryPrimitives.WriteUInt16BigEndian(bytes[6..], pseudo == 0 ? (ushort)0 : ushort.MaxValue);
                return UdpBytes + WritePayload(side, bytes[UdpBytes..]);
            case 1 or 58 when side.IcmpType is { } type:
                bytes[0] = (byte)type;
                bytes[1] = (byte)(side.IcmpCode ?? 0);
                BinaryPrimitives.WriteUInt16BigEndian(bytes[4..], (ushort)(side.IcmpId ?? 0));
                BinaryPrimitives.WriteUInt16BigEndian(bytes[6..], (ushort)(side.IcmpSeq ?? 0));
                int there = 8 + WritePayload(side, bytes[8..]);
                if (length <= there)
                {
                    BinaryPrimitives.WriteUInt16BigEndian(bytes[2..], Checksum(bytes[..there], protocol == 58 ? pseudo : 0));
                }
                return there;
            default:
                return 0;
        }
    }

    private static int WritePayload(PacketSide side, Span<byte> bytes)
    {
        byte[] payload = Convert.FromHexString(side.Payload ?? "");
        payload.CopyTo(bytes);
        return payload.Length;
    }

    private static void WritePorts(PacketSide side, Span<byte> bytes)
    {
        BinaryPrimitives.WriteUInt16BigEndian(bytes, (ushort)side.SrcPort!.Value);
        BinaryPrimitives.WriteUInt16BigEndian(bytes[2..], (ushort)(side.DstPort ?? 0));
    }

    /// <summary>As tcpdump prints them.</summary>
    private static byte FlagsOf(string? text)
    {
        byte flags = 0;
        foreach (char letter in text ?? "")
        {
            flags |= letter switch { 'F' => 0x01, 'S' => 0x02, 'R' => 0x04, 'P' => 0x08, '.' => 0x10, 'U' => 0x20, 'E' => 0x40, 'W' => 0x80, _ => 0 };
        }
        return flags;
    }

    /// <summary>RFC 1071.</summary>
    private static ushort Checksum(ReadOnlySpan<byte> bytes, uint before)
    {
        uint sum = Sum(bytes, before);
        while (sum > ushort.MaxValue)
        {
            sum = (sum & ushort.MaxValue) + (sum >> 16);
        }
        return (ushort)~sum;
    }

    private static uint Sum(ReadOnlySpan<byte> bytes, uint sum)
    {
        for (int i = 0; i + 1 < bytes.Length; i += 2)
        {
            sum += BinaryPrimitives.ReadUInt16BigEndian(bytes[i..]);
        }
        return bytes.Length % 2 == 0 ? sum : sum + ((uint)bytes[^1] << 8);
    }
}
