using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace NftCluster.Node.Kernel.Native;

/// <summary>The functions of libnftables(3) that run commands and keep their output; a context belongs to the network namespace of the thread that makes it.</summary>
internal static partial class LibNftables
{
    public const uint NFT_CTX_DEFAULT = 0;

    public const uint NFT_CTX_OUTPUT_STATELESS = 1 << 2;
    public const uint NFT_CTX_OUTPUT_HANDLE = 1 << 3;
    public const uint NFT_CTX_OUTPUT_JSON = 1 << 4;
    public const uint NFT_CTX_OUTPUT_ECHO = 1 << 5;
    public const uint NFT_CTX_OUTPUT_TERSE = 1 << 11;

    private const string Library = "libnftables.so.1";

    [LibraryImport(Library)]
    public static partial NftContextHandle nft_ctx_new(uint flags);

    [LibraryImport(Library)]
    public static partial void nft_ctx_free(nint ctx);

    [LibraryImport(Library)]
    public static partial void nft_ctx_set_dry_run(NftContextHandle ctx, [MarshalAs(UnmanagedType.U1)] bool dry);

    [LibraryImport(Library)]
    public static partial void nft_ctx_output_set_flags(NftContextHandle ctx, uint flags);

    /// <summary>0, or 1 without memory.</summary>
    [LibraryImport(Library)]
    public static partial int nft_ctx_buffer_output(NftContextHandle ctx);

    /// <summary>The text since the last command began; belongs to the context and changes with the next call on it.</summary>
    [LibraryImport(Library)]
    public static partial nint nft_ctx_get_output_buffer(NftContextHandle ctx);

    [LibraryImport(Library)]
    public static partial int nft_ctx_buffer_error(NftContextHandle ctx);

    [LibraryImport(Library)]
    public static partial nint nft_ctx_get_error_buffer(NftContextHandle ctx);

    /// <summary>0 when everything was done, as one transaction; otherwise nothing was, and the error buffer says why.</summary>
    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int nft_run_cmd_from_buffer(NftContextHandle nft, string buf);

    /// <summary>The same; complaints name file, line and columns.</summary>
    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int nft_run_cmd_from_filename(NftContextHandle nft, string filename);
}

/// <summary>Owns an nft_ctx.</summary>
internal sealed class NftContextHandle() : SafeHandleZeroOrMinusOneIsInvalid(ownsHandle: true)
{
    protected override bool ReleaseHandle()
    {
        LibNftables.nft_ctx_free(handle);
        return true;
    }
}
