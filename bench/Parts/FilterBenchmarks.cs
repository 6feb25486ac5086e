using BenchmarkDotNet.Attributes;
using NftCluster.Node.Kernel.Filter;

namespace NftCluster.Bench.Parts;

/// <summary>A usual filter: evaluated on a packet (the reference in C#), translated, and compiled by libpcap.</summary>
public class FilterBenchmarks
{
    private const string Expression = "host 10.3.0.2 and udp port 5000";

    private readonly byte[] _match = Frame(2);
    private readonly byte[] _other = Frame(9);
    private FilterProgram _program = null!;
    private FilterNode[] _nodes = null!;

    [GlobalSetup]
    public void Prepare()
    {
        _program = FilterCompiler.Compile(Expression);
        _nodes = FilterTranslator.Translate(_program);
        if (!EvaluateMatching() || EvaluateOther())
        {
            throw new InvalidOperationException("the filter does not tell the two packets apart: the benchmark measures something else");
        }
    }

    [Benchmark]
    public bool EvaluateMatching() => FilterEvaluator.Matches(_nodes, _match, 64);

    [Benchmark]
    public bool EvaluateOther() => FilterEvaluator.Matches(_nodes, _other, 64);

    [Benchmark]
    public int Translate() => FilterTranslator.Translate(_program).Length;

    [Benchmark]
    public int CompileAndTranslate() => FilterTranslator.Translate(FilterCompiler.Compile(Expression)).Length;

    private static byte[] Frame(byte host)
    {
        byte[] frame = new byte[64];
        ((ReadOnlySpan<byte>)[0x08, 0x00, 0x45, 0, 0, 50]).CopyTo(frame.AsSpan(12));
        ((ReadOnlySpan<byte>)[64, 17, 0, 0, 10, 1, 0, host, 10, 3, 0, host, 0x9c, 0x40, 0x13, 0x88, 0, 30]).CopyTo(frame.AsSpan(22));
        return frame;
    }
}
