using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using NftCluster.Node.Kernel;
using NftCluster.Node.Kernel.Native;

namespace NftCluster.Node.Nftables;

/// <summary>What libnftables made of a command: its output, or the first line of its complaint.</summary>
internal sealed record NftResult(bool Ok, string Output, string Errors)
{
    /// <summary>One line; <c>&lt;cmd&gt;:LINE:COLUMN</c> is libnftables' place in the text it was given.</summary>
    public string FirstError => Errors.Split('\n', 2)[0] is { Length: > 0 } line ? line : "nft refused it without saying why";
}

/// <summary>How a listing is printed.</summary>
[Flags]
internal enum NftOutput : uint
{
    None = 0,
    Stateless = LibNftables.NFT_CTX_OUTPUT_STATELESS,
    Handles = LibNftables.NFT_CTX_OUTPUT_HANDLE,
    Echo = LibNftables.NFT_CTX_OUTPUT_ECHO,
    Terse = LibNftables.NFT_CTX_OUTPUT_TERSE,
}

/// <summary>Runs nft commands in this process, in the network namespace of the thread that made it; used by one thread at a time.</summary>
internal sealed class NftContext : IDisposable
{
    /// <summary>The library's first context sets up state of the whole process, and guards it against nobody.</summary>
    private static readonly Lazy<bool> _first = new(MakeFirst);

    /// <summary>FD_SETSIZE, less room for what other threads open meanwhile.</summary>
    private const int HighestDescriptor = 1_000;

    private readonly NftContextHandle _context;

    private NftContext(NftContextHandle context) => _context = context;

    public static NftContext Open()
    {
        _ = _first.Value;
        RefuseHighDescriptors();
        NftContextHandle context = LibNftables.nft_ctx_new(LibNftables.NFT_CTX_DEFAULT);
        if (context.IsInvalid || LibNftables.nft_ctx_buffer_output(context) != 0 || LibNftables.nft_ctx_buffer_error(context) != 0)
        {
            context.Dispose();
            throw new KernelException("libnftables cannot start: is there memory left?");
        }
        return new NftContext(context);
    }

    /// <summary>All commands of the text as one transaction: all of them or none.</summary>
    public NftResult Run(string commands, NftOutput output = NftOutput.None) => Run(output, dryRun: false, () => LibNftables.nft_run_cmd_from_buffer(_context, commands));

    public NftResult RunFile(string path) => Run(NftOutput.None, dryRun: false, () => LibNftables.nft_run_cmd_from_filename(_context, path));

    /// <summary>The kernel looks at the whole transaction and then drops it.</summary>
    public NftResult Check(string commands) => Run(NftOutput.None, dryRun: true, () => LibNftables.nft_run_cmd_from_buffer(_context, commands));

    public NftResult CheckFile(string path) => Run(NftOutput.None, dryRun: true, () => LibNftables.nft_run_cmd_from_filename(_context, path));

    public void Dispose() => _context.Dispose();

    /// <summary>libnftables waits with select(), which ends the whole process on a descriptor above 1,023.</summary>
    private static void RefuseHighDescriptors()
    {
        using SafeFileHandle next = File.OpenHandle("/dev/null");
        if (next.DangerousGetHandle() >= HighestDescriptor)
        {
            throw new KernelException($"this process has more than {HighestDescriptor} files open: libnftables cannot work beside them");
        }
    }

    private NftResult Run(NftOutput output, bool dryRun, Func<int> command)
    {
        LibNftables.nft_ctx_output_set_flags(_context, (uint)output);
        LibNftables.nft_ctx_set_dry_run(_context, dryRun);
        int result = command();
        return new NftResult(
            result == 0,
            Marshal.PtrToStringUTF8(LibNftables.nft_ctx_get_output_buffer(_context)) ?? "",
            Marshal.PtrToStringUTF8(LibNftables.nft_ctx_get_error_buffer(_context)) ?? "");
    }

    private static bool MakeFirst()
    {
        using NftContextHandle context = LibNftables.nft_ctx_new(LibNftables.NFT_CTX_DEFAULT);
        return !context.IsInvalid;
    }
}
