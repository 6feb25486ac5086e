using System.Net;
using NftCluster.Node.Pipeline;

namespace NftCluster.Tests.Node.Pipeline;

public sealed class PacketHeaderTests
{
    [Fact]
    public void IPv4_and_UDP_are_read()
    {
        PacketHeader header = Parse(Frames.Udp4(id: 0x1234, payload: 100, from: 4000, to: 53, ttl: 7));

        Assert.Equal((0x0800, Frames.UdpProtocol, 7, 0x1234), (header.EtherType, header.Protocol, header.Ttl, header.IpId));
        Assert.Equal((4000, 53, 128u, 100u), (header.SourcePort, header.DestinationPort, header.Length, header.PayloadLength));
        Assert.Equal("10.1.0.2", new IPAddress(((ReadOnlySpan<byte>)header.Source)[..4]).ToString());
        Assert.Equal("10.3.0.2", new IPAddress(((ReadOnlySpan<byte>)header.Destination)[..4]).ToString());
        Assert.Equal(HeaderParts.Network | HeaderParts.Ports | HeaderParts.Payload, header.Parts);
    }

    [Fact]
    public void IPv4_options_move_the_ports()
    {
        byte[] ip = Frames.IPv4(Frames.UdpProtocol, Frames.Udp(1, 2, 10), "10.0.0.1", "10.0.0.2", 1, 64, options: new byte[12]);

        PacketHeader header = Parse(Frames.Ethernet(0x0800, ip));

        Assert.Equal((1, 2, 10u), (header.SourcePort, header.DestinationPort, header.PayloadLength));
    }

    [Fact]
    public void TCP_flags_and_numbers_are_read_and_its_options_are_no_payload()
    {
        byte[] tcp = [.. Frames.Tcp(4000, 80, 0xfffffffe, 7, 0x12, 0), .. new byte[12], .. new byte[5]];
        tcp[12] = 0x80;

        PacketHeader header = Parse(Frames.Ethernet(0x0800, Frames.IPv4(Frames.TcpProtocol, tcp, "10.0.0.1", "10.0.0.2", 1, 64)));

        Assert.Equal((0xfffffffe, 7u, 0x12, 5u), (header.TcpSeq, header.TcpAck, header.TcpFlags, header.PayloadLength));
        Assert.True(header.Has(HeaderParts.Tcp));
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(5, 5)]
    [InlineData(100, 32)]
    public void The_payload_s_first_bytes_are_kept_as_far_as_the_sample_goes(int payload, int kept)
    {
        byte[] udp = Frames.Udp(4000, 53, payload);
        for (int i = 8; i < udp.Length; i++)
        {
            udp[i] = (byte)i;
        }
        byte[] frame = Frames.Ethernet(0x0800, Frames.IPv4(Frames.UdpProtocol, udp, "10.0.0.1", "10.0.0.2", 1, 64));

        PacketHeader header = Parse(frame);
        byte[] sample = frame[..Math.Min(frame.Length, 14 + 20 + 8 + 3)];
        PacketHeader.Parse(sample, (uint)frame.Length, 1, out PacketHeader cut);

        Assert.Equal(Enumerable.Range(8, kept).Select(i => (byte)i), header.PayloadIn(frame).ToArray());
        Assert.Equal(Math.Min(payload, 3), cut.PayloadIn(sample).Length);
    }

    [Fact]
    public void IPv6_extension_headers_are_passed_over()
    {
        byte[] rest = Frames.Extension(60, 1, Frames.Extension(Frames.UdpProtocol, 0, Frames.Udp(5, 6, 20)));

        PacketHeader header = Parse(Frames.Ethernet(0x86dd, Frames.IPv6(0, rest, "fd01::2", "fd03::2", 33)));

        Assert.Equal((Frames.UdpProtocol, 33, 5, 6, 20u), (header.Protocol, header.Ttl, header.SourcePort, header.DestinationPort, header.PayloadLength));
        Assert.Equal("fd03::2", new IPAddress((ReadOnlySpan<byte>)header.Destination).ToString());
        Assert.True(header.Has(HeaderParts.IPv6));
    }

    [Fact]
    public void An_extension_header_longer_than_the_sample_yields_no_ports()
    {
        byte[] rest = [Frames.UdpProtocol, 255, .. new byte[14]];

        PacketHeader header = Parse(Frames.Ethernet(0x86dd, Frames.IPv6(0, rest, "fd01::2", "fd03::2")));

        Assert.False(header.Has(HeaderParts.Ports));
    }

    [Theory]
    [InlineData(0x8100)]
    [InlineData(0x88a8)]
    public void A_VLAN_tag_is_read_and_passed_over(int tagType)
    {
        PacketHeader header = Parse(Frames.Tagged(Frames.Udp4(to: 53), 0x2064, (ushort)tagType));

        Assert.Equal((0x064, 53, 0x0800), (header.VlanId, header.DestinationPort, header.EtherType));
        Assert.True(header.Has(HeaderParts.Vlan));
    }

    [Fact]
    public void ARP_shows_operation_and_addresses()
    {
        PacketHeader header = Parse(Frames.Arp(2, "10.0.0.1", "10.0.0.2"));

        Assert.Equal((0x0806, 2), (header.EtherType, header.SourcePort));
        Assert.Equal("10.0.0.1", new IPAddress(((ReadOnlySpan<byte>)header.Source)[..4]).ToString());
        Assert.Equal("10.0.0.2", new IPAddress(((ReadOnlySpan<byte>)header.Destination)[..4]).ToString());
    }

    [Theory]
    [InlineData(8)]
    [InlineData(0)]
    public void ICMP_echo_has_identifier_and_sequence(byte type)
    {
        byte[] ip = Frames.IPv4(Frames.IcmpProtocol, Frames.Echo(type, 0xabcd, 17, 56), "10.0.0.1", "10.0.0.2", 1, 64);

        PacketHeader header = Parse(Frames.Ethernet(0x0800, ip));

        Assert.Equal((type << 8, 0xabcd, 17, 56u), (header.SourcePort, header.DestinationPort, header.IcmpSequence, header.PayloadLength));
        Assert.True(header.Has(HeaderParts.Echo));
    }

    [Fact]
    public void Other_ICMP_messages_have_type_and_code_only()
    {
        PacketHeader header = Parse(Frames.Ethernet(0x0800, Frames.IPv4(Frames.IcmpProtocol, [3, 1, 0, 0, 9, 9, 9, 9, .. new byte[28]], "10.0.0.1", "10.0.0.2", 1, 64)));

        Assert.Equal((0x301, 0), (header.SourcePort, header.IcmpSequence));
        Assert.False(header.Has(HeaderParts.Echo));
    }

    [Fact]
    public void Padding_to_the_least_frame_is_no_payload()
    {
        byte[] frame = [.. Frames.Tcp4(), .. new byte[6]];

        PacketHeader header = Parse(frame);

        Assert.Equal((40u, 0u), (header.Length, header.PayloadLength));
    }

    [Fact]
    public void A_later_fragment_has_an_offset_and_no_ports()
    {
        byte[] ip = Frames.IPv4(Frames.UdpProtocol, new byte[64], "10.0.0.1", "10.0.0.2", 77, 64, fragment: 0x2000 | 185);

        PacketHeader header = Parse(Frames.Ethernet(0x0800, ip));

        Assert.Equal((185, 77, 64u), (header.FragmentOffset, header.IpId, header.PayloadLength));
        Assert.False(header.Has(HeaderParts.Ports));
    }

    [Fact]
    public void A_later_IPv6_fragment_has_an_offset_and_no_ports()
    {
        byte[] rest = [Frames.UdpProtocol, 0, 0x05, 0xc8, 0, 0, 0, 1, .. new byte[64]];

        PacketHeader header = Parse(Frames.Ethernet(0x86dd, Frames.IPv6(44, rest, "fd01::2", "fd03::2")));

        Assert.Equal(185, header.FragmentOffset);
        Assert.False(header.Has(HeaderParts.Ports));
    }

    [Fact]
    public void The_length_is_the_frames_where_the_sample_is_shorter()
    {
        byte[] frame = Frames.Udp4(payload: 1400);

        PacketHeader.Parse(frame.AsSpan(0, 80), (uint)frame.Length, 1, out PacketHeader header);

        Assert.Equal((1428u, 1400u), (header.Length, header.PayloadLength));
    }

    [Fact]
    public void No_frame_throws_wherever_it_is_cut()
    {
        Random random = new(1);
        byte[][] frames =
        [
            Frames.Udp4(), Frames.Udp6(), Frames.Tcp4(payload: 5), Frames.Arp(1, "10.0.0.1", "10.0.0.2"),
            Frames.Tagged(Frames.Tagged(Frames.Udp6(), 1), 2, 0x88a8),
            Frames.Ethernet(0x86dd, Frames.IPv6(0, Frames.Extension(43, 2, Frames.Extension(44, 0, Frames.Extension(58, 0, Frames.Echo(128, 1, 1, 8)))), "::1", "::1")),
            .. Enumerable.Range(0, 500).Select(_ => Noise(random)),
        ];
        foreach (byte[] frame in frames)
        {
            for (int length = 0; length <= frame.Length; length++)
            {
                PacketHeader.Parse(frame.AsSpan(0, length), (uint)random.Next(0, 2000), 1, out PacketHeader header);
                Assert.True(header.PayloadLength <= header.Length);
            }
        }
    }

    [Fact]
    public void Routing_and_NAT_keep_a_packet_what_it_is()
    {
        PacketHeader before = Parse(Frames.Udp4(id: 9, source: "10.1.0.2", from: 4000, ttl: 64));
        PacketHeader after = Parse(Frames.Udp4(id: 9, source: "192.0.2.1", from: 61000, ttl: 63));

        Assert.True(before.CanBecome(after));
        Assert.False(before.SameAs(after));
        Assert.True(before.SameAs(before));
    }

    [Fact]
    public void Another_id_payload_flag_or_sequence_is_another_packet()
    {
        PacketHeader udp = Parse(Frames.Udp4(id: 9, payload: 10));
        PacketHeader ping = Parse(Ping(1));

        Assert.False(udp.CanBecome(Parse(Frames.Udp4(id: 10, payload: 10))));
        Assert.False(udp.CanBecome(Parse(Frames.Udp4(id: 9, payload: 11))));
        Assert.False(udp.CanBecome(Parse(Frames.Tcp4(id: 9))));
        Assert.False(Parse(Frames.Tcp4(flags: 0x10)).CanBecome(Parse(Frames.Tcp4(flags: 0x11))));
        Assert.False(ping.CanBecome(Parse(Ping(2))));

        static byte[] Ping(ushort sequence) => Frames.Ethernet(0x86dd, Frames.IPv6(58, Frames.Echo(128, 5, sequence, 8), "fd01::2", "fd03::2"));
    }

    private static PacketHeader Parse(byte[] frame)
    {
        PacketHeader.Parse(frame, (uint)frame.Length, 1, out PacketHeader header);
        return header;
    }

    private static byte[] Noise(Random random)
    {
        byte[] frame = new byte[random.Next(0, 140)];
        random.NextBytes(frame);
        if (frame.Length > 14)
        {
            (frame[12], frame[13], frame[14]) = random.Next(4) switch
            {
                0 => ((byte)0x08, (byte)0x00, (byte)(0x40 | random.Next(16))),
                1 => ((byte)0x86, (byte)0xdd, (byte)0x60),
                2 => ((byte)0x81, (byte)0x00, frame[14]),
                _ => ((byte)0x08, (byte)0x06, frame[14]),
            };
        }
        return frame;
    }
}
