using System.Runtime.InteropServices;
using NftCluster.Node.Kernel.Filter;
using NftCluster.Node.Kernel.Native;

namespace NftCluster.Tests.Node.Kernel.Filter;

public sealed class FilterReadsTests
{
    public static TheoryData<string> Expressions => [.. FilterExpressions.All];

    [Theory]
    [MemberData(nameof(Expressions))]
    public void What_a_filter_does_not_read_cannot_change_its_answer(string expression)
    {
        FilterNode[] nodes = FilterTranslator.Translate(FilterCompiler.Compile(expression));
        Question reads = FilterReads.Of(default, nodes);
        PacketGenerator packets = new(seed: 7);
        Random random = new(11);
        byte[] other = new byte[SampleReach.SampleBytes];

        for (int i = 0; i < 2_000; i++)
        {
            ReadOnlySpan<byte> packet = packets.Next(out uint frameLength);
            random.NextBytes(other);
            for (int at = 0; at < packet.Length && at < other.Length; at++)
            {
                other[at] = (byte)((packet[at] & reads.Bytes[at]) | (other[at] & ~reads.Bytes[at]));
            }
            uint otherLength = reads.FrameLength == 0 ? frameLength + 1 : frameLength;

            bool answer = FilterEvaluator.Matches(nodes, packet, frameLength);

            Assert.Equal(answer, FilterEvaluator.Matches(nodes, other.AsSpan(0, Math.Min(packet.Length, other.Length)), otherLength));
        }
    }

    [Fact]
    public void A_filter_on_addresses_reads_the_type_and_the_addresses_only()
    {
        Question reads = FilterReads.Of(default, FilterTranslator.Translate(FilterCompiler.Compile("ip host 10.9.9.9")));

        Assert.Equal([12, 13, .. Enumerable.Range(26, 8)], Enumerable.Range(0, SampleReach.SampleBytes).Where(i => reads.Bytes[i] != 0));
        Assert.Equal(0u, reads.FrameLength);
    }

    [Fact]
    public void A_load_whose_place_the_packet_decides_reads_everything()
    {
        Question reads = FilterReads.Of(default, FilterTranslator.Translate(FilterCompiler.Compile("udp port 53")));

        Assert.DoesNotContain((byte)0, MemoryMarshal.AsBytes(new ReadOnlySpan<Question.SampleBytes>(in reads.Bytes)).ToArray());
    }

    [Fact]
    public void Device_mark_and_length_count_where_somebody_asks_for_them()
    {
        Question reads = FilterReads.Together(
        [
            FilterReads.Of(new SessionFilter { Mark = 0x10, MarkMask = 0xf0 }, []),
            FilterReads.Of(new SessionFilter { Ifindex = 3 }, FilterTranslator.Translate(FilterCompiler.Compile("greater 700"))),
        ]);

        Assert.Equal((0xf0u, uint.MaxValue, uint.MaxValue), (reads.Mark, reads.Ifindex, reads.FrameLength));
        Assert.Equal((0u, 0u), (FilterReads.Of(default, []).Mark, FilterReads.Of(default, []).Ifindex));
    }

    [Fact]
    public void Sessions_generation_conntrack_namespace_and_end_of_the_sample_always_count()
    {
        Question reads = FilterReads.Of(default, []);

        Assert.Equal((ulong.MaxValue, ulong.MaxValue), (reads.Sessions, reads.Conntrack));
        Assert.Equal((uint.MaxValue, uint.MaxValue, uint.MaxValue), (reads.FilterGeneration, reads.Netns, reads.Valid));
    }
}
