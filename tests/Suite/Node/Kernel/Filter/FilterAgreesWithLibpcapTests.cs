using NftCluster.Node.Kernel.Filter;

namespace NftCluster.Tests.Node.Kernel.Filter;

public sealed class FilterAgreesWithLibpcapTests
{
    private const int PacketsPerExpression = 20_000;

    public static TheoryData<string> Expressions => [.. FilterExpressions.All];

    [Theory]
    [MemberData(nameof(Expressions))]
    public void A_translated_filter_says_of_every_packet_what_libpcap_says(string expression)
    {
        using var truth = new PcapTruth(expression);
        FilterNode[] nodes = FilterTranslator.Translate(FilterCompiler.Compile(expression));
        var packets = new PacketGenerator(seed: expression.Length);

        for (int i = 0; i < PacketsPerExpression; i++)
        {
            ReadOnlySpan<byte> packet = packets.Next(out uint frameLength);
            bool expected = truth.Matches(packet, frameLength);
            if (FilterEvaluator.Matches(nodes, packet, frameLength) != expected)
            {
                Assert.Fail($"'{expression}', packet {i}, length {frameLength}: libpcap says {expected}: {Convert.ToHexString(packet)}");
            }
        }
    }

    [Fact]
    public void The_packets_make_nearly_every_filter_say_both_yes_and_no()
    {
        var oneSided = new List<string>();
        foreach (string expression in FilterExpressions.All)
        {
            FilterNode[] nodes = FilterTranslator.Translate(FilterCompiler.Compile(expression));
            var packets = new PacketGenerator(seed: expression.Length);
            int yes = 0;
            for (int i = 0; i < PacketsPerExpression; i++)
            {
                ReadOnlySpan<byte> packet = packets.Next(out uint frameLength);
                yes += FilterEvaluator.Matches(nodes, packet, frameLength) ? 1 : 0;
            }

            if (yes is 0 or PacketsPerExpression)
            {
                oneSided.Add(expression);
            }
        }

        Assert.True(oneSided.Count <= 2, string.Join("; ", oneSided));
    }
}
