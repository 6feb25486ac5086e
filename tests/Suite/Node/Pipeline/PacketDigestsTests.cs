using NftCluster.Node.Pipeline;

namespace NftCluster.Tests.Node.Pipeline;

public sealed class PacketDigestsTests
{
    [Fact]
    public void A_router_leaves_both_digests_as_they_are()
    {
        PacketHeader before = Parse(Frames.Udp4(ttl: 64));
        PacketHeader after = Parse(Frames.Tagged(Frames.Udp4(ttl: 63), vlan: 7));

        Assert.NotNull(PacketDigests.Wire(before));
        Assert.Equal(PacketDigests.Wire(before), PacketDigests.Wire(after));
        Assert.Equal(PacketDigests.Content(before), PacketDigests.Content(after));
    }

    [Fact]
    public void NAT_leaves_the_content_as_it_is_and_changes_the_wire()
    {
        PacketHeader before = Parse(Frames.Udp4(source: "10.1.0.2", from: 4000));
        PacketHeader after = Parse(Frames.Udp4(source: "192.0.2.1", from: 61_000));

        Assert.NotEqual(PacketDigests.Wire(before), PacketDigests.Wire(after));
        Assert.Equal(PacketDigests.Content(before), PacketDigests.Content(after));
    }

    [Fact]
    public void Whatever_makes_it_another_packet_changes_both()
    {
        PacketHeader[] others =
        [
            Parse(Frames.Udp4()),
            Parse(Frames.Udp4(id: 2)),
            Parse(Frames.Udp4(payload: 33)),
            Parse(With(Frames.Udp4(), at: 14 + 20 + 8 + 31)),
            Parse(Frames.Tcp4()),
            Parse(Frames.Tcp4(sequence: 2)),
            Parse(Frames.Tcp4(flags: 0x11)),
            Parse(Ping(8, 1)),
            Parse(Ping(8, 2)),
            Parse(Ping(0, 1)),
            Parse(Frames.Udp6()),
        ];

        Assert.Equal(others.Length, others.Select(o => PacketDigests.Wire(o)).Distinct().Count());
        Assert.Equal(others.Length, others.Select(o => PacketDigests.Content(o)).Distinct().Count());
    }

    [Fact]
    public void Payload_beyond_the_first_32_bytes_is_not_covered_so_that_every_sample_reaches_it()
    {
        byte[] frame = Frames.Udp4(payload: 200);

        Assert.Equal(PacketDigests.Wire(Parse(frame)), PacketDigests.Wire(Parse(With(frame, at: 14 + 20 + 8 + 32))));
        PacketHeader.Parse(frame.AsSpan(0, 80), (uint)frame.Length, 1, out PacketHeader sampled);
        Assert.Equal(PacketDigests.Wire(Parse(frame)), PacketDigests.Wire(sampled));
    }

    [Fact]
    public void A_sample_that_ends_before_the_payload_has_no_digest()
    {
        byte[] frame = Frames.Udp4(payload: 32);
        PacketHeader.Parse(frame.AsSpan(0, frame.Length - 1), (uint)frame.Length, 1, out PacketHeader cut);

        Assert.Null(PacketDigests.Wire(cut));
        Assert.Null(PacketDigests.Content(cut));
    }

    [Fact]
    public void ARP_has_none_and_noise_throws_nothing()
    {
        Assert.Null(PacketDigests.Wire(Parse(Frames.Arp(1, "10.0.0.1", "10.0.0.2"))));
        Random random = new(5);
        for (int i = 0; i < 2_000; i++)
        {
            byte[] noise = new byte[random.Next(0, 140)];
            random.NextBytes(noise);
            PacketHeader header = Parse(noise);
            Assert.Equal(PacketDigests.Wire(header) is null, PacketDigests.Content(header) is null);
        }
    }

    private static byte[] Ping(byte type, ushort sequence) =>
        Frames.Ethernet(0x0800, Frames.IPv4(Frames.IcmpProtocol, Frames.Echo(type, 5, sequence, 8), "10.1.0.2", "10.3.0.2", 1, 64));

    private static byte[] With(byte[] frame, int at)
    {
        byte[] changed = [.. frame];
        changed[at] ^= 1;
        return changed;
    }

    private static PacketHeader Parse(byte[] frame)
    {
        PacketHeader.Parse(frame, (uint)frame.Length, 1, out PacketHeader header);
        return header;
    }
}
