using System.Buffers.Binary;
using NftCluster.Node.Pipeline;

namespace NftCluster.Tests.Node.Pipeline;

public sealed class PacketSamplingTests
{
    [Fact]
    public void Routing_and_NAT_do_not_change_the_hash()
    {
        PacketHeader before = Header(id: 7, source: 0x0a010002, port: 40_000, ttl: 64);
        PacketHeader after = Header(id: 7, source: 0xc0000201, port: 1_024, ttl: 61);

        Assert.Equal(PacketSampling.HashOf(before), PacketSampling.HashOf(after));
        Assert.NotEqual(PacketSampling.HashOf(before), PacketSampling.HashOf(Header(id: 8, source: 0x0a010002, port: 40_000, ttl: 64)));
    }

    [Fact]
    public void A_threshold_keeps_its_share_and_a_lower_one_a_part_of_that()
    {
        HashSet<int> half = Kept(1UL << 63);
        HashSet<int> eighth = Kept(1UL << 61);

        Assert.InRange(half.Count, 4_800, 5_200);
        Assert.InRange(eighth.Count, 1_100, 1_400);
        Assert.Subset(half, eighth);
    }

    private static HashSet<int> Kept(ulong threshold) =>
        [.. Enumerable.Range(0, 10_000).Where(id => PacketSampling.HashOf(Header((ushort)id, 0x0a010002, 40_000, 64)) < threshold)];

    private static PacketHeader Header(ushort id, uint source, ushort port, byte ttl)
    {
        byte[] frame = new byte[60];
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(12), 0x0800);
        Span<byte> ip = frame.AsSpan(14);
        ip[0] = 0x45;
        BinaryPrimitives.WriteUInt16BigEndian(ip[2..], 46);
        BinaryPrimitives.WriteUInt16BigEndian(ip[4..], id);
        ip[8] = ttl;
        ip[9] = 17;
        BinaryPrimitives.WriteUInt32BigEndian(ip[12..], source);
        BinaryPrimitives.WriteUInt16BigEndian(ip[20..], port);
        PacketHeader.Parse(frame, 60, 1, out PacketHeader header);
        return header;
    }
}
