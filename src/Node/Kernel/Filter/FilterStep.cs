namespace NftCluster.Node.Kernel.Filter;

/// <summary>A filter node while instructions are being added to it; its jumps still are instruction numbers.</summary>
internal sealed class FilterStep
{
    private (FilterLoad Kind, uint K) _load;
    private (FilterAlu Kind, bool IsX, uint K) _alu;
    private (FilterTest Kind, bool IsX, uint K) _test;
    private int _whenTrue = -1;
    private int _whenFalse = -1;

    public bool HasRoomFor(ClassicInstruction instruction) => instruction.Class switch
    {
        _ when _test.Kind != FilterTest.None => false,
        ClassicClass.Jump or ClassicClass.Return => true,
        ClassicClass.Alu => _alu.Kind == FilterAlu.None,
        _ => _alu.Kind == FilterAlu.None && _load.Kind == FilterLoad.None,
    };

    public void SetLoad(ClassicInstruction instruction) => _load = (LoadOf(instruction), instruction.K);

    public void SetAlu(ClassicInstruction instruction)
    {
        FilterAlu kind = instruction.Operation switch
        {
            0x00 => FilterAlu.Add,
            0x10 => FilterAlu.Sub,
            0x20 => FilterAlu.Mul,
            0x30 => FilterAlu.Div,
            0x40 => FilterAlu.Or,
            0x50 => FilterAlu.And,
            0x60 => FilterAlu.Lsh,
            0x70 => FilterAlu.Rsh,
            0x80 => FilterAlu.Neg,
            0x90 => FilterAlu.Mod,
            0xa0 => FilterAlu.Xor,
            _ => throw Unknown(instruction),
        };
        _alu = (kind, instruction.OperandIsX, instruction.K);
    }

    public void SetJump(ClassicInstruction instruction, int whenTrue, int whenFalse)
    {
        FilterTest kind = instruction.Operation switch
        {
            0x00 => FilterTest.Ja,
            0x10 => FilterTest.Eq,
            0x20 => FilterTest.Gt,
            0x30 => FilterTest.Ge,
            0x40 => FilterTest.Set,
            _ => throw Unknown(instruction),
        };
        bool always = kind == FilterTest.Ja;
        _test = (kind, !always && instruction.OperandIsX, always ? 0 : instruction.K);
        _whenTrue = whenTrue;
        _whenFalse = whenFalse;
    }

    /// <summary>BPF_RVAL: 0x00 the constant, 0x10 A.</summary>
    public void SetReturn(ClassicInstruction instruction) => _test = (instruction.Code & 0x18) switch
    {
        0x00 => (FilterTest.RetK, false, instruction.K),
        0x10 => (FilterTest.RetA, false, 0),
        _ => throw Unknown(instruction),
    };

    public FilterNode ToNode(ReadOnlySpan<int> nodeOf) => new()
    {
        Load = _load.Kind,
        LoadK = _load.K,
        Alu = _alu.Kind,
        AluX = _alu.IsX ? (byte)1 : (byte)0,
        AluK = _alu.K,
        Test = _test.Kind,
        TestX = _test.IsX ? (byte)1 : (byte)0,
        TestK = _test.K,
        Jt = _whenTrue < 0 ? (ushort)0 : (ushort)nodeOf[_whenTrue],
        Jf = _whenFalse < 0 ? (ushort)0 : (ushort)nodeOf[_whenFalse],
    };

    private static FilterLoad LoadOf(ClassicInstruction instruction) => (instruction.Class, instruction.Mode, instruction.Size) switch
    {
        (ClassicClass.Load, ClassicMode.Absolute, 0x10) => FilterLoad.Abs1,
        (ClassicClass.Load, ClassicMode.Absolute, 0x08) => FilterLoad.Abs2,
        (ClassicClass.Load, ClassicMode.Absolute, 0x00) => FilterLoad.Abs4,
        (ClassicClass.Load, ClassicMode.Indirect, 0x10) => FilterLoad.Ind1,
        (ClassicClass.Load, ClassicMode.Indirect, 0x08) => FilterLoad.Ind2,
        (ClassicClass.Load, ClassicMode.Indirect, 0x00) => FilterLoad.Ind4,
        (ClassicClass.Load, ClassicMode.Immediate, _) => FilterLoad.Imm,
        (ClassicClass.Load, ClassicMode.Length, _) => FilterLoad.Len,
        (ClassicClass.Load, ClassicMode.Memory, _) => FilterLoad.Mem,
        (ClassicClass.LoadX, ClassicMode.Immediate, _) => FilterLoad.XImm,
        (ClassicClass.LoadX, ClassicMode.Length, _) => FilterLoad.XLen,
        (ClassicClass.LoadX, ClassicMode.Memory, _) => FilterLoad.XMem,
        (ClassicClass.LoadX, ClassicMode.HeaderLength, _) => FilterLoad.XMsh,
        (ClassicClass.Store, _, _) => FilterLoad.St,
        (ClassicClass.StoreX, _, _) => FilterLoad.Stx,
        (ClassicClass.Misc, _, _) when instruction.Code == 0x07 => FilterLoad.Tax,
        (ClassicClass.Misc, _, _) when instruction.Code == 0x87 => FilterLoad.Txa,
        _ => throw Unknown(instruction),
    };

    private static FilterException Unknown(ClassicInstruction instruction) =>
        new($"libpcap made an instruction that is not known here (code 0x{instruction.Code:x2}): this filter cannot be used");
}
