using System.Runtime.InteropServices;

namespace NftCluster.Node.Kernel.Filter;

/// <summary>One instruction of classic BPF as libpcap lays it out (struct bpf_insn).</summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly record struct ClassicInstruction(ushort Code, byte Jt, byte Jf, uint K)
{
    public const int SizeInBytes = 8;

    public ClassicClass Class => (ClassicClass)(Code & 0x07);

    /// <summary>Load size: 0x00 word, 0x08 half, 0x10 byte.</summary>
    public int Size => Code & 0x18;

    /// <summary>Where a load takes its value from.</summary>
    public ClassicMode Mode => (ClassicMode)(Code & 0xe0);

    /// <summary>Operation of an ALU or jump instruction.</summary>
    public int Operation => Code & 0xf0;

    /// <summary>The operand is X, not K.</summary>
    public bool OperandIsX => (Code & 0x08) != 0;

    public bool IsJumpAlways => Class == ClassicClass.Jump && Operation == 0x00;

    public bool IsPacketLoad =>
        (Class == ClassicClass.Load && Mode is ClassicMode.Absolute or ClassicMode.Indirect)
        || (Class == ClassicClass.LoadX && Mode == ClassicMode.HeaderLength);

    public int LoadBytes => Size switch { 0x00 => 4, 0x08 => 2, _ => 1 };
}

internal enum ClassicClass
{
    Load = 0,
    LoadX = 1,
    Store = 2,
    StoreX = 3,
    Alu = 4,
    Jump = 5,
    Return = 6,
    Misc = 7,
}

internal enum ClassicMode
{
    Immediate = 0x00,
    Absolute = 0x20,
    Indirect = 0x40,
    Memory = 0x60,
    Length = 0x80,
    HeaderLength = 0xa0,
}
