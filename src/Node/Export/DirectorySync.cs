using System.Runtime.InteropServices;

namespace NftCluster.Node.Export;

/// <summary>Makes a rename durable: the directory itself has to be synced, which FileStream cannot do.</summary>
internal static partial class DirectorySync
{
    private const int ReadOnlyCloseOnExec = 0x80000;

    /// <summary>Best effort: some filesystems refuse it, and the file's own bytes are already safe.</summary>
    public static void Flush(string directory)
    {
        int fd = Open(directory, ReadOnlyCloseOnExec);
        if (fd < 0)
        {
            return;
        }

        _ = Sync(fd);
        _ = Close(fd);
    }

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync")]
    private static partial int Sync(int fd);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int fd);
}
