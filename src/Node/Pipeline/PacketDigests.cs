using System.Buffers.Binary;
using System.IO.Hashing;

namespace NftCluster.Node.Pipeline;

/// <summary>
/// Two 64-bit names of a packet that other hosts give it, too. <c>Wire</c> covers what a router leaves alone, <c>Content</c>
/// what also NAT leaves alone. No TTL, no checksum (partial ones survive two veth routers), no link header, no VLAN tag.
/// </summary>
internal static class PacketDigests
{
    private const int Addresses = 32;
    private const int Room = 80;

    /// <summary>Null where the header does not tell packets apart: no IP, or a payload that the sample does not reach.</summary>
    public static ulong? Wire(in PacketHeader header)
    {
        if (!CanTellApart(header))
        {
            return null;
        }
        Span<byte> bytes = stackalloc byte[Room + Addresses + 4];
        int at = WriteContent(header, bytes);
        ((ReadOnlySpan<byte>)header.Source).CopyTo(bytes[at..]);
        ((ReadOnlySpan<byte>)header.Destination).CopyTo(bytes[(at + 16)..]);
        at += Addresses;
        BinaryPrimitives.WriteUInt16BigEndian(bytes[at..], header.SourcePort);
        BinaryPrimitives.WriteUInt16BigEndian(bytes[(at + 2)..], header.DestinationPort);
        return XxHash64.HashToUInt64(bytes[..(at + 4)]);
    }

    /// <summary>As <see cref="Wire"/>, without addresses, ports and echo identifiers.</summary>
    public static ulong? Content(in PacketHeader header)
    {
        if (!CanTellApart(header))
        {
            return null;
        }
        Span<byte> bytes = stackalloc byte[Room];
        return XxHash64.HashToUInt64(bytes[..WriteContent(header, bytes)], seed: 1);
    }

    private static bool CanTellApart(in PacketHeader h) =>
        h.EtherType is 0x0800 or 0x86dd
        && h.Has(HeaderParts.Network)
        && (h.Has(HeaderParts.Payload) || h.Has(HeaderParts.Tcp) || !HasDigestedPayload(h));

    private static bool HasDigestedPayload(in PacketHeader h) => h.FragmentOffset == 0 && (h.Protocol is 17 or 136 || h.Has(HeaderParts.Echo));

    private static int WriteContent(in PacketHeader h, Span<byte> to)
    {
        BinaryPrimitives.WriteUInt16BigEndian(to, h.EtherType);
        to[2] = h.Protocol;
        to[3] = h.TcpFlags;
        BinaryPrimitives.WriteUInt16BigEndian(to[4..], h.IpId);
        BinaryPrimitives.WriteUInt16BigEndian(to[6..], h.FragmentOffset);
        BinaryPrimitives.WriteUInt32BigEndian(to[8..], h.PayloadLength);
        BinaryPrimitives.WriteUInt64BigEndian(to[12..], h.PayloadDigest);
        BinaryPrimitives.WriteUInt32BigEndian(to[20..], h.TcpSeq);
        BinaryPrimitives.WriteUInt32BigEndian(to[24..], h.TcpAck);
        BinaryPrimitives.WriteUInt16BigEndian(to[28..], h.IcmpSequence);
        BinaryPrimitives.WriteUInt16BigEndian(to[30..], h.Has(HeaderParts.Icmp) ? h.SourcePort : (ushort)0);
        return 32;
    }
}
