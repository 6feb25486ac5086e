using NftCluster.Node.Kernel.Filter;

namespace NftCluster.Tests.Node.Kernel.Filter;

public sealed class FilterEvaluatorTests
{
    private static readonly FilterNode _yes = new() { Test = FilterTest.RetK, TestK = 1 };

    [Theory]
    [InlineData((byte)FilterLoad.Abs1, 3u, true)]
    [InlineData((byte)FilterLoad.Abs1, 4u, false)]
    [InlineData((byte)FilterLoad.Abs2, 2u, true)]
    [InlineData((byte)FilterLoad.Abs2, 3u, false)]
    [InlineData((byte)FilterLoad.Abs4, 0u, true)]
    [InlineData((byte)FilterLoad.Abs4, 1u, false)]
    [InlineData((byte)FilterLoad.Ind1, uint.MaxValue, false)]
    [InlineData((byte)FilterLoad.XMsh, 4u, false)]
    public void A_load_beyond_the_valid_bytes_does_not_match(byte load, uint offset, bool expected)
    {
        var node = new FilterNode { Load = (FilterLoad)load, LoadK = offset };

        Assert.Equal(expected, FilterEvaluator.Matches([node, _yes], [1, 2, 3, 4], 1500));
    }

    [Fact]
    public void An_offset_that_overflows_does_not_wrap_around()
    {
        var x = new FilterNode { Load = FilterLoad.XImm, LoadK = 2 };
        var load = new FilterNode { Load = FilterLoad.Ind1, LoadK = uint.MaxValue - 1 };

        Assert.False(FilterEvaluator.Matches([x, load, _yes], [1, 2, 3, 4], 4));
    }

    [Theory]
    [InlineData((byte)FilterAlu.Div)]
    [InlineData((byte)FilterAlu.Mod)]
    public void Division_by_zero_does_not_match(byte alu)
    {
        var node = new FilterNode { Load = FilterLoad.Imm, LoadK = 5, Alu = (FilterAlu)alu, AluX = 1 };

        Assert.False(FilterEvaluator.Matches([node, _yes], [], 0));
    }

    [Theory]
    [InlineData((byte)FilterAlu.Lsh, 31u, 0x80000000u)]
    [InlineData((byte)FilterAlu.Lsh, 32u, 0u)]
    [InlineData((byte)FilterAlu.Rsh, 32u, 0u)]
    [InlineData((byte)FilterAlu.Rsh, uint.MaxValue, 0u)]
    [InlineData((byte)FilterAlu.Neg, 0u, uint.MaxValue)]
    public void A_shift_by_more_than_31_bits_leaves_nothing(byte alu, uint operand, uint expected)
    {
        var x = new FilterNode { Load = FilterLoad.XImm, LoadK = operand };
        var compute = new FilterNode
        {
            Load = FilterLoad.Imm,
            LoadK = 1,
            Alu = (FilterAlu)alu,
            AluX = 1,
            Test = FilterTest.Eq,
            TestK = expected,
            Jt = 3,
            Jf = 2,
        };
        var no = new FilterNode { Test = FilterTest.RetK };

        Assert.True(FilterEvaluator.Matches([x, compute, no, _yes], [], 0));
    }

    [Fact]
    public void A_program_that_runs_off_its_end_or_backwards_does_not_match()
    {
        var back = new FilterNode { Test = FilterTest.Ja, Jt = 0 };

        Assert.False(FilterEvaluator.Matches([default], [], 0));
        Assert.False(FilterEvaluator.Matches([default, back], [], 0));
    }

    [Fact]
    public void Registers_and_memory_start_at_zero()
    {
        var a = new FilterNode { Test = FilterTest.RetA };
        var memory = new FilterNode { Load = FilterLoad.Mem, LoadK = 15, Test = FilterTest.RetA };

        Assert.False(FilterEvaluator.Matches([a], [], 0));
        Assert.False(FilterEvaluator.Matches([memory], [], 0));
    }
}
