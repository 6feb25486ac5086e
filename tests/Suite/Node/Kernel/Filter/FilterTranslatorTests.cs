using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using NftCluster.Node.Kernel.Filter;

namespace NftCluster.Tests.Node.Kernel.Filter;

public sealed class FilterTranslatorTests(ITestOutputHelper output)
{
    public static TheoryData<string> Expressions => [.. FilterExpressions.All];

    [Theory]
    [InlineData("udp and host 10.3.0.2 and port 53")]
    [InlineData("host 10.3.0.2 and tcp port 80")]
    [InlineData("tcp[tcpflags] & (tcp-syn|tcp-fin) != 0")]
    [InlineData("ip6 net fd00::/64 and tcp port 80")]
    public void Fusing_takes_a_quarter_of_the_steps_away_at_least(string expression)
    {
        FilterProgram program = FilterCompiler.Compile(expression);

        FilterNode[] nodes = FilterTranslator.Translate(program);

        output.WriteLine($"'{expression}': {program.Instructions.Length} instructions, {nodes.Length} nodes");
        Assert.True(nodes.Length * 4 <= program.Instructions.Length * 3);
    }

    [Theory]
    [MemberData(nameof(Expressions))]
    public void Jumps_lead_forward_and_stay_inside_and_the_end_is_an_answer(string expression)
    {
        FilterNode[] nodes = FilterTranslator.Translate(FilterCompiler.Compile(expression));

        for (int i = 0; i < nodes.Length; i++)
        {
            if (nodes[i].Test is FilterTest.Ja or FilterTest.Eq or FilterTest.Gt or FilterTest.Ge or FilterTest.Set)
            {
                Assert.InRange(nodes[i].Jt, i + 1, nodes.Length - 1);
                Assert.InRange(nodes[i].Jf, i + 1, nodes.Length - 1);
            }
        }

        Assert.True(nodes[^1].Test is FilterTest.RetK or FilterTest.RetA);
    }

    [Fact]
    public void A_node_has_the_layout_of_the_kernel_half()
    {
        var node = new FilterNode
        {
            LoadK = 1,
            AluK = 2,
            TestK = 3,
            Jt = 4,
            Jf = 5,
            Load = (FilterLoad)6,
            Alu = (FilterAlu)7,
            AluX = 8,
            Test = (FilterTest)9,
            TestX = 10,
        };

        ReadOnlySpan<byte> bytes = MemoryMarshal.AsBytes(new ReadOnlySpan<FilterNode>(in node));

        Assert.Equal(24, Unsafe.SizeOf<FilterNode>());
        Assert.Equal("0100000002000000030000000400050006070809" + "0A", Convert.ToHexString(bytes[..21]));
    }

    [Fact]
    public void An_instruction_that_is_jumped_to_begins_a_node()
    {
        // ld [0]; jeq #1 -> 3; and #7; jeq #2 (jumped to): 'and' and the second 'jeq' must not fuse.
        FilterNode[] nodes = FilterTranslator.Translate(Program(
            new(0x20, 0, 0, 0), new(0x15, 1, 0, 1), new(0x54, 0, 0, 7), new(0x15, 0, 1, 2), new(0x06, 0, 0, 1), new(0x06, 0, 0, 0)));

        Assert.Equal(5, nodes.Length);
        Assert.Equal((2, 1), (nodes[0].Jt, nodes[0].Jf));
        Assert.Equal((FilterAlu.And, FilterTest.None), (nodes[1].Alu, nodes[1].Test));
    }

    [Fact]
    public void A_jump_to_a_jump_goes_to_where_that_leads()
    {
        // jeq #0 -> ja -> ja -> ret 1; the jumps themselves disappear.
        FilterNode[] nodes = FilterTranslator.Translate(Program(
            new(0x15, 1, 0, 0), new(0x06, 0, 0, 0), new(0x05, 0, 0, 1), new(0x06, 0, 0, 9), new(0x05, 0, 0, 0), new(0x06, 0, 0, 1)));

        Assert.Equal(3, nodes.Length);
        Assert.Equal((2, 1), (nodes[0].Jt, nodes[0].Jf));
        Assert.Equal(1u, nodes[2].TestK);
    }

    [Fact]
    public void A_filter_longer_than_the_kernels_table_is_refused()
    {
        string expression = string.Join("||", Enumerable.Range(0, 4200).Select(i => $"ip[4:2]={i * 3}"));

        FilterException refused = Assert.Throws<FilterException>(() => FilterTranslator.Translate(FilterCompiler.Compile(expression)));

        Assert.Contains("4096", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_long_list_of_hosts_translates_and_still_tells_them_apart()
    {
        string expression = string.Join(" or ", Enumerable.Range(0, 1000).Select(i => $"ip[4:2]={i * 3}"));
        using var truth = new PcapTruth(expression);

        FilterNode[] nodes = FilterTranslator.Translate(FilterCompiler.Compile(expression));

        byte[] packet = new byte[60];
        packet[12] = 8;
        for (int id = 0; id < 4000; id++)
        {
            (packet[18], packet[19]) = ((byte)(id >> 8), (byte)id);
            Assert.Equal(truth.Matches(packet, 60), FilterEvaluator.Matches(nodes, packet, 60));
        }
    }

    private static FilterProgram Program(params ClassicInstruction[] code) => new("by hand", code);
}
