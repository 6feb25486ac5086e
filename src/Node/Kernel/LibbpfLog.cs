using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using NftCluster.Node.Kernel.Native;

namespace NftCluster.Node.Kernel;

/// <summary>Catches what libbpf would print to standard error, verifier text included; the tail of it explains a refused program.</summary>
internal static unsafe partial class LibbpfLog
{
    private const int KeptCharacters = 64 * 1024;
    private const int KeptOfLine = 16 * 1024;
    private const int LevelInfo = 1;

    // libbpf has one callback per process, and loads happen one at a time in the node's actor.
    private static readonly StringBuilder _text = new();

    public static void Capture()
    {
        _text.Clear();
        _ = LibBpf.libbpf_set_print((nint)(delegate* unmanaged[Cdecl]<int, byte*, void*, int>)&Print);
    }

    public static string Captured => _text.ToString();

    /// <summary>What the verifier said last: why it refused.</summary>
    public static string LastLine(string log) =>
        log.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .LastOrDefault(line => !line.StartsWith("processed ", StringComparison.Ordinal) && !line.StartsWith("--", StringComparison.Ordinal) && !line.StartsWith("libbpf:", StringComparison.Ordinal))
        ?? "no reason given";

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Print(int level, byte* format, void* arguments)
    {
        if (level > LevelInfo)
        {
            return 0;
        }
        // The va_list goes straight to libc (x86-64: it is passed as a pointer).
        byte* line;
        int length = vasprintf(&line, format, arguments);
        if (length > 0)
        {
            if (_text.Length > KeptCharacters)
            {
                _text.Remove(0, _text.Length / 2);
            }
            // A verifier's log has megabytes, in one line of libbpf's: why it refused stands at the end.
            int kept = Math.Min(length, KeptOfLine);
            _text.Append(Encoding.UTF8.GetString(line + length - kept, kept));
        }
        if (length >= 0)
        {
            NativeMemory.Free(line);
        }
        return 0;
    }

    [LibraryImport("libc.so.6")]
    private static partial int vasprintf(byte** text, byte* format, void* arguments);
}
