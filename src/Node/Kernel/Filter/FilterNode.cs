using System.Runtime.InteropServices;

namespace NftCluster.Node.Kernel.Filter;

/// <summary>
/// One step of a filter as the kernel half interprets it: optional load, then arithmetic, then test.
/// Mirrors struct filter_node in bpf/trace_abi.h byte by byte.
/// </summary>
[StructLayout(LayoutKind.Sequential, Size = SizeInBytes)]
internal readonly struct FilterNode
{
    public const int SizeInBytes = 24;

    /// <summary>MAX_FILTER_NODES: room for all sessions' filters together.</summary>
    public const int MaxNodes = 4096;

    public uint LoadK { get; init; }

    public uint AluK { get; init; }

    public uint TestK { get; init; }

    /// <summary>Where to go on when the test holds; relative to the filter's first node, always forward.</summary>
    public ushort Jt { get; init; }

    /// <summary>Where to go on when it does not.</summary>
    public ushort Jf { get; init; }

    public FilterLoad Load { get; init; }

    public FilterAlu Alu { get; init; }

    /// <summary>1: the arithmetic's operand is X, 0: AluK.</summary>
    public byte AluX { get; init; }

    public FilterTest Test { get; init; }

    /// <summary>1: the test's operand is X, 0: TestK.</summary>
    public byte TestX { get; init; }

    public override string ToString() =>
        $"{Load} {LoadK}; {Alu} {(AluX != 0 ? "X" : AluK)}; {Test} {(TestX != 0 ? "X" : $"0x{TestK:x}")} ? {Jt} : {Jf}";
}

/// <summary>enum filter_load.</summary>
internal enum FilterLoad : byte
{
    None = 0,
    Abs1,
    Abs2,
    Abs4,
    Ind1,
    Ind2,
    Ind4,
    Imm,
    Len,
    Mem,
    XImm,
    XLen,
    XMem,
    XMsh,
    Tax,
    Txa,
    St,
    Stx,
}

/// <summary>enum filter_alu.</summary>
internal enum FilterAlu : byte
{
    None = 0,
    Add,
    Sub,
    Mul,
    Div,
    Mod,
    And,
    Or,
    Xor,
    Lsh,
    Rsh,
    Neg,
}

/// <summary>enum filter_test.</summary>
internal enum FilterTest : byte
{
    None = 0,
    Ja,
    Eq,
    Gt,
    Ge,
    Set,
    RetK,
    RetA,
}
