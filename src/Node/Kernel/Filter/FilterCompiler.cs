using System.Runtime.InteropServices;
using NftCluster.Node.Kernel.Native;

namespace NftCluster.Node.Kernel.Filter;

/// <summary>Compiles pcap-filter(7) expressions with libpcap, for Ethernet frames, and refuses what a header sample cannot answer.</summary>
internal static class FilterCompiler
{
    private const int SnapLength = 65535;

    /// <summary>libpcap's optimizer is quadratic in the expression: what is longer is a mistake, not a filter.</summary>
    private const int MaxExpressionLength = 64 * 1024;

    /// <summary>pcap_compile keeps its parser's state in statics before libpcap 1.8, and nobody compiles often: one at a time.</summary>
    private static readonly SemaphoreSlim _oneAtATime = new(1, 1);

    public static FilterProgram Compile(string expression)
    {
        if (string.IsNullOrWhiteSpace(expression))
        {
            return new FilterProgram(expression, []);
        }

        if (expression.Length > MaxExpressionLength)
        {
            throw new FilterException($"the filter has {expression.Length} characters, {MaxExpressionLength} are possible: use nets and port ranges");
        }

        if (expression.Contains('\0'))
        {
            throw new FilterException("the filter contains a NUL character: remove it");
        }

        _oneAtATime.Wait();
        try
        {
            var program = new FilterProgram(expression, Instructions(expression));
            SampleReach.Check(program);
            return program;
        }
        catch (Exception missing) when (missing is DllNotFoundException or EntryPointNotFoundException)
        {
            throw FilterException.LibraryMissing(missing);
        }
        finally
        {
            _oneAtATime.Release();
        }
    }

    private static unsafe ClassicInstruction[] Instructions(string expression)
    {
        using PcapHandle pcap = LibPcap.pcap_open_dead(LibPcap.DLT_EN10MB, SnapLength);
        if (pcap.IsInvalid)
        {
            throw new FilterException("libpcap could not be opened: out of memory");
        }

        if (LibPcap.pcap_compile(pcap, out LibPcap.BpfProgram compiled, expression, optimize: 1, LibPcap.PCAP_NETMASK_UNKNOWN) != 0)
        {
            string? reason = Marshal.PtrToStringUTF8(LibPcap.pcap_geterr(pcap));
            throw new FilterException((reason ?? "libpcap refuses the filter").ReplaceLineEndings(" "));
        }

        try
        {
            return new ReadOnlySpan<ClassicInstruction>((void*)compiled.bf_insns, (int)compiled.bf_len).ToArray();
        }
        finally
        {
            LibPcap.pcap_freecode(ref compiled);
        }
    }
}
