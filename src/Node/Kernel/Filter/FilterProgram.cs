namespace NftCluster.Node.Kernel.Filter;

/// <summary>A filter expression and the classic BPF that libpcap made of it; no instructions: every packet.</summary>
internal sealed class FilterProgram(string expression, ClassicInstruction[] instructions)
{
    public string Expression { get; } = expression;

    public ReadOnlySpan<ClassicInstruction> Instructions => instructions;
}
