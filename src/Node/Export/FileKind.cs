using System.Runtime.InteropServices;

namespace NftCluster.Node.Export;

/// <summary>Tells a file from a device or a pipe without opening it, which .NET cannot: opening a pipe would wait for its other end.</summary>
internal static partial class FileKind
{
    private const int WorkingDirectory = -100;
    private const uint TypeAndMode = 0x3;
    private const int StatxBytes = 256;
    private const int ModeOffset = 28;
    private const int TypeMask = 0xf000;
    private const int Ordinary = 0x8000;

    /// <summary>False also for what does not exist.</summary>
    public static bool IsOrdinary(string path)
    {
        byte[] status = new byte[StatxBytes];
        return statx(WorkingDirectory, path, 0, TypeAndMode, status) == 0 && (BitConverter.ToUInt16(status, ModeOffset) & TypeMask) == Ordinary;
    }

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int statx(int directory, string path, int flags, uint mask, [Out] byte[] status);
}
