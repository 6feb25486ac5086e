using System.Buffers.Binary;
using System.IO.Hashing;
using System.Runtime.CompilerServices;

namespace NftCluster.Node.Pipeline;

/// <summary>What a header sample says, parsed once per sample: no allocation, fields of layers that are not there are zero.</summary>
internal struct PacketHeader
{
    private const int EthernetBytes = 14;
    private const ushort Arp = 0x0806;

    /// <summary>A fixed number, so that two hosts digest the same bytes: a UDP payload's first ones lie in every sample.</summary>
    private const int DigestedPayloadBytes = 32;

    /// <summary>So many of the payload's first bytes are kept, where the sample reaches so far: of UDP and echoes all, of TCP over IPv4 with its usual options 14.</summary>
    public const int MostPayloadBytes = 32;

    public AddressBytes Source;
    public AddressBytes Destination;
    public uint TcpSeq;
    public uint TcpAck;

    /// <summary>Bytes from the network header on, payload included.</summary>
    public uint Length;

    /// <summary>Bytes after the transport header.</summary>
    public uint PayloadLength;

    /// <summary>XxHash64 of the payload's first bytes, at most 32; see <see cref="HeaderParts.Payload"/>.</summary>
    public ulong PayloadDigest;
    public ushort EtherType;

    /// <summary>Source port; ICMP: type and code as type &lt;&lt; 8 | code.</summary>
    public ushort SourcePort;

    /// <summary>Destination port; ICMP: echo identifier.</summary>
    public ushort DestinationPort;
    public ushort IpId;
    public ushort VlanId;
    public ushort IcmpSequence;
    public ushort FragmentOffset;
    public ushort Segments;
    public byte Protocol;
    public byte Ttl;
    public byte TcpFlags;
    public HeaderParts Parts;

    public readonly bool Has(HeaderParts part) => (Parts & part) != 0;

    /// <summary>Parses an Ethernet frame of which <paramref name="frame"/> are the first bytes.</summary>
    public static void Parse(ReadOnlySpan<byte> frame, uint frameLength, ushort segments, out PacketHeader header)
    {
        header = default;
        header.Segments = segments;
        if (frame.Length < EthernetBytes)
        {
            return;
        }
        int at = EthernetBytes;
        ushort type = BinaryPrimitives.ReadUInt16BigEndian(frame[12..]);
        while (type is 0x8100 or 0x88a8 && frame.Length >= at + 4)
        {
            header.VlanId = (ushort)(BinaryPrimitives.ReadUInt16BigEndian(frame[at..]) & 0x0fff);
            header.Parts |= HeaderParts.Vlan;
            type = BinaryPrimitives.ReadUInt16BigEndian(frame[(at + 2)..]);
            at += 4;
        }
        header.EtherType = type;
        header.Length = frameLength > at ? frameLength - (uint)at : 0;
        ReadOnlySpan<byte> network = frame[at..];
        switch (type)
        {
            case 0x0800 when network.Length >= 20 && network[0] >> 4 == 4:
                header.ParseIPv4(network);
                break;
            case 0x86dd when network.Length >= 40 && network[0] >> 4 == 6:
                header.ParseIPv6(network);
                break;
            case Arp when network.Length >= 28:
                header.ParseArp(network);
                break;
        }
    }

    /// <summary>The payload's first bytes in the frame that was parsed, as many as it shows, at most <see cref="MostPayloadBytes"/>.</summary>
    public readonly ReadOnlySpan<byte> PayloadIn(ReadOnlySpan<byte> frame)
    {
        if (!Has(HeaderParts.Tcp) && !Has(HeaderParts.Echo) && !(Has(HeaderParts.Ports) && Protocol is 17 or 136))
        {
            return [];
        }
        int at = EthernetBytes + (int)(Length - PayloadLength);
        for (int type = 12; BinaryPrimitives.ReadUInt16BigEndian(frame[type..]) is 0x8100 or 0x88a8; type += 4)
        {
            at += 4;
        }
        return at >= frame.Length ? [] : frame.Slice(at, (int)Math.Min(Math.Min(PayloadLength, MostPayloadBytes), (uint)(frame.Length - at)));
    }

    private void ParseIPv4(ReadOnlySpan<byte> ip)
    {
        Parts |= HeaderParts.Network;
        network4(ref Source, ip[12..16]);
        network4(ref Destination, ip[16..20]);
        IpId = BinaryPrimitives.ReadUInt16BigEndian(ip[4..]);
        ushort fragment = BinaryPrimitives.ReadUInt16BigEndian(ip[6..]);
        SetFragment((ushort)(fragment & 0x1fff), (fragment & 0x2000) != 0);
        Ttl = ip[8];
        Protocol = ip[9];
        int headerBytes = (ip[0] & 0xf) * 4;
        uint total = BinaryPrimitives.ReadUInt16BigEndian(ip[2..]);
        if (total >= headerBytes && total < Length)
        {
            Length = total; // the frame was padded to 60 bytes
        }
        ParseTransport(ip, headerBytes);

        static void network4(ref AddressBytes address, ReadOnlySpan<byte> bytes) => bytes.CopyTo(address);
    }

    private void ParseIPv6(ReadOnlySpan<byte> ip)
    {
        Parts |= HeaderParts.Network | HeaderParts.IPv6;
        ip[8..24].CopyTo(Source);
        ip[24..40].CopyTo(Destination);
        Ttl = ip[7];
        uint total = BinaryPrimitives.ReadUInt16BigEndian(ip[4..]) + 40u;
        if (total > 40 && total < Length)
        {
            Length = total;
        }
        int next = ip[6];
        int at = 40;
        // Extension headers whose length is their second byte in units of 8 (RFC 8200); fragments are always 8 bytes.
        while (next is 0 or 43 or 44 or 60 && ip.Length >= at + 8)
        {
            if (next == 44)
            {
                ushort fragment = BinaryPrimitives.ReadUInt16BigEndian(ip[(at + 2)..]);
                SetFragment((ushort)(fragment >> 3), (fragment & 1) != 0);
            }
            int size = next == 44 ? 8 : 8 + ip[at + 1] * 8;
            next = ip[at];
            at += size;
        }
        Protocol = (byte)next;
        ParseTransport(ip, at);
    }

    private void ParseArp(ReadOnlySpan<byte> arp)
    {
        arp[14..18].CopyTo(Source);
        arp[24..28].CopyTo(Destination);
        SourcePort = BinaryPrimitives.ReadUInt16BigEndian(arp[6..]);
        Parts |= HeaderParts.Network;
    }

    private void SetFragment(ushort offset, bool moreFollow)
    {
        FragmentOffset = offset;
        if (offset != 0 || moreFollow)
        {
            Parts |= HeaderParts.Fragment;
        }
    }

    private void ParseTransport(ReadOnlySpan<byte> ip, int at)
    {
        PayloadLength = Length > at ? Length - (uint)at : 0;
        if (FragmentOffset != 0 || ip.Length < at + 8)
        {
            return;
        }
        ReadOnlySpan<byte> transport = ip[at..];
        switch (Protocol)
        {
            case 6 when transport.Length >= 20:
                ReadPorts(transport);
                TcpSeq = BinaryPrimitives.ReadUInt32BigEndian(transport[4..]);
                TcpAck = BinaryPrimitives.ReadUInt32BigEndian(transport[8..]);
                TcpFlags = transport[13];
                Parts |= HeaderParts.Tcp;
                Strip((uint)(transport[12] >> 4) * 4);
                break;
            case 17 or 136:
                ReadPorts(transport);
                Strip(8);
                DigestPayload(transport[8..]);
                break;
            case 132 or 33:
                ReadPorts(transport);
                break;
            case 1 or 58:
                SourcePort = BinaryPrimitives.ReadUInt16BigEndian(transport);
                Parts |= HeaderParts.Icmp;
                if (transport[0] is 0 or 8 or 128 or 129)
                {
                    DestinationPort = BinaryPrimitives.ReadUInt16BigEndian(transport[4..]);
                    IcmpSequence = BinaryPrimitives.ReadUInt16BigEndian(transport[6..]);
                    Parts |= HeaderParts.Echo;
                }
                Strip(8);
                if (Has(HeaderParts.Echo))
                {
                    DigestPayload(transport[8..]); // not of errors: they carry a header that NAT changes
                }
                break;
        }
    }

    private void ReadPorts(ReadOnlySpan<byte> transport)
    {
        SourcePort = BinaryPrimitives.ReadUInt16BigEndian(transport);
        DestinationPort = BinaryPrimitives.ReadUInt16BigEndian(transport[2..]);
        Parts |= HeaderParts.Ports;
    }

    /// <summary>Nothing where the sample ends before: the same packet would have another digest on another host.</summary>
    private void DigestPayload(ReadOnlySpan<byte> sampled)
    {
        int size = (int)Math.Min(PayloadLength, DigestedPayloadBytes);
        if (sampled.Length >= size)
        {
            PayloadDigest = XxHash64.HashToUInt64(sampled[..size]);
            Parts |= HeaderParts.Payload;
        }
    }

    private void Strip(uint bytes) => PayloadLength = PayloadLength > bytes ? PayloadLength - bytes : 0;

    /// <summary>
    /// Whether two samples can be the same packet inside one namespace. NAT may change addresses and ports, routing TTL and
    /// VLAN; protocol, IP id, payload length, ICMP type and sequence numbers stay (GSO and GRO change lengths: then anything goes).
    /// </summary>
    public readonly bool CanBecome(in PacketHeader later) =>
        EtherType == later.EtherType
        && Protocol == later.Protocol
        && IpId == later.IpId
        && (PayloadLength == later.PayloadLength || Segments > 1 || later.Segments > 1)
        && (!Has(HeaderParts.Tcp) || TcpFlags == later.TcpFlags)
        && (!Has(HeaderParts.Icmp) || SourcePort == later.SourcePort)
        && (!Has(HeaderParts.Echo) || IcmpSequence == later.IcmpSequence)
        && (EtherType != Arp || (SourcePort == later.SourcePort && HasSourceOf(later) && HasDestinationOf(later)));

    public readonly bool HasSourceOf(in PacketHeader other) => ((ReadOnlySpan<byte>)Source).SequenceEqual(other.Source);

    public readonly bool HasDestinationOf(in PacketHeader other) => ((ReadOnlySpan<byte>)Destination).SequenceEqual(other.Destination);

    /// <summary>Addresses the other way round.</summary>
    public readonly bool IsAnsweredBy(in PacketHeader other) =>
        ((ReadOnlySpan<byte>)Source).SequenceEqual(other.Destination)
        && ((ReadOnlySpan<byte>)Destination).SequenceEqual(other.Source)
        && !HasSourceOf(other);

    /// <summary>The same bytes on the wire, as far as the sample shows.</summary>
    public readonly bool SameAs(in PacketHeader other) =>
        CanBecome(other)
        && Ttl == other.Ttl
        && SourcePort == other.SourcePort
        && DestinationPort == other.DestinationPort
        && TcpSeq == other.TcpSeq
        && TcpAck == other.TcpAck
        && HasSourceOf(other)
        && HasDestinationOf(other);

    [InlineArray(16)]
    public struct AddressBytes
    {
        private byte _element;
    }
}

/// <summary>Which layers a header sample showed.</summary>
[Flags]
internal enum HeaderParts : ushort
{
    None = 0,
    Network = 1,
    IPv6 = 2,
    Ports = 4,
    Tcp = 8,
    Icmp = 16,
    Echo = 32,
    Vlan = 64,

    /// <summary>The payload's first bytes were in the sample and are digested.</summary>
    Payload = 128,
    Fragment = 256,
}
