namespace NftCluster.Node.Kernel.Filter;

/// <summary>
/// Fuses libpcap's classic BPF into filter nodes: load, arithmetic and test in a row become one step,
/// because in the kernel a step costs more than what it does.
/// </summary>
/// <remarks>
/// 1. Jumps to an unconditional jump go to where it leads. 2. What is never reached is left out.
/// 3. A node takes instructions as long as they fit in order (load, arithmetic, test) and nobody
/// jumps between them. 4. Jumps become node numbers.
/// </remarks>
internal sealed class FilterTranslator
{
    /// <summary>BPF_RET | BPF_K.</summary>
    private const ushort ReturnConstant = 0x06;

    private readonly ClassicInstruction[] _code;
    private readonly bool[] _reached;
    private readonly bool[] _target;
    private readonly int[] _nodeOf;

    private FilterTranslator(ReadOnlySpan<ClassicInstruction> code)
    {
        _code = code.ToArray();
        _reached = new bool[code.Length];
        _target = new bool[code.Length];
        _nodeOf = new int[code.Length];
    }

    /// <summary>No nodes: every packet matches.</summary>
    public static FilterNode[] Translate(FilterProgram program)
    {
        ReadOnlySpan<ClassicInstruction> code = program.Instructions;
        if (code.IsEmpty || code[0] is { Code: ReturnConstant, K: not 0 })
        {
            return [];
        }

        var translator = new FilterTranslator(code);
        translator.MarkReached();
        List<FilterStep> steps = translator.Fuse();
        if (steps.Count > FilterNode.MaxNodes)
        {
            throw new FilterException(
                $"the filter needs {steps.Count} steps, {FilterNode.MaxNodes} are possible: use nets and port ranges instead of long lists");
        }

        return [.. steps.Select(step => step.ToNode(translator._nodeOf))];
    }

    /// <summary>All jumps lead forward, so one pass over the code sees each instruction after all that lead to it.</summary>
    private void MarkReached()
    {
        _reached[0] = true;
        for (int i = 0; i < _code.Length; i++)
        {
            ClassicInstruction instruction = _code[i];
            if (!_reached[i] || instruction.Class == ClassicClass.Return)
            {
                continue;
            }

            if (instruction.Class != ClassicClass.Jump)
            {
                _reached[i + 1] = true;
                continue;
            }

            Mark(Destination(i, taken: true));
            Mark(Destination(i, taken: false));
        }
    }

    private void Mark(int destination)
    {
        _reached[destination] = true;
        _target[destination] = true;
    }

    private int Destination(int index, bool taken)
    {
        do
        {
            ClassicInstruction jump = _code[index];
            long next = index + 1L + (jump.IsJumpAlways ? (int)jump.K : taken ? jump.Jt : jump.Jf);
            if (next <= index || next >= _code.Length)
            {
                throw new FilterException("libpcap made a program with a jump out of bounds: this filter cannot be used");
            }

            index = (int)next;
        }
        while (_code[index].IsJumpAlways);

        return index;
    }

    private List<FilterStep> Fuse()
    {
        var steps = new List<FilterStep>(_code.Length);
        FilterStep? open = null;
        for (int i = 0; i < _code.Length; i++)
        {
            if (!_reached[i])
            {
                continue;
            }

            if (open is null || _target[i] || !open.HasRoomFor(_code[i]))
            {
                open = new FilterStep();
                steps.Add(open);
            }

            _nodeOf[i] = steps.Count - 1;
            Add(open, i);
        }

        return steps;
    }

    private void Add(FilterStep step, int index)
    {
        ClassicInstruction instruction = _code[index];
        switch (instruction.Class)
        {
            case ClassicClass.Alu:
                step.SetAlu(instruction);
                break;
            case ClassicClass.Jump:
                step.SetJump(instruction, Destination(index, taken: true), Destination(index, taken: false));
                break;
            case ClassicClass.Return:
                step.SetReturn(instruction);
                break;
            default:
                step.SetLoad(instruction);
                break;
        }
    }
}
