using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace NftCluster.Node.Export;

/// <summary>An export that has no name before it is whole (O_TMPFILE): the kernel frees it with the process, however that ends.</summary>
internal sealed partial class UnnamedExportFile : ExportFile
{
    private const int ReadWriteTmpfileCloseOnExec = 0x2 | 0x410000 | 0x80000;
    private const uint ReadWriteForAll = 0b110_110_110; // less the umask
    private const int WorkingDirectory = -100;
    private const int FollowLink = 0x400;
    private const int Exists = 17;

    private readonly string _directory;
    private readonly string _stem;

    private UnnamedExportFile(string directory, string stem, SafeFileHandle handle)
    {
        _directory = directory;
        _stem = stem;
        Stream = new FileStream(handle, FileAccess.ReadWrite, bufferSize: 0);
    }

    public override FileStream Stream { get; }

    /// <summary>Null where the file system has no such files (NFS, FAT), or the directory cannot be written: the named way then says why.</summary>
    public static UnnamedExportFile? TryCreate(string directory, string stem)
    {
        int fd = Open(directory, ReadWriteTmpfileCloseOnExec, ReadWriteForAll);
        return fd < 0 ? null : new UnnamedExportFile(directory, stem, new SafeFileHandle(fd, ownsHandle: true));
    }

    public override string Publish()
    {
        for (int attempt = 1; ; attempt++)
        {
            string final = Path.Combine(_directory, ExportNames.Final(_stem, attempt));
            if (Link(WorkingDirectory, $"/proc/self/fd/{Stream.SafeFileHandle.DangerousGetHandle()}", WorkingDirectory, final, FollowLink) == 0)
            {
                return final;
            }
            if (Marshal.GetLastPInvokeError() != Exists)
            {
                return PublishCopy();
            }
        }
    }

    public override void Dispose() => Stream.Dispose();

    /// <summary>A file system that makes such files and cannot link them, or no /proc: what was traced must not be lost for that.</summary>
    private string PublishCopy()
    {
        using NamedExportFile copy = new(_directory, _stem);
        Stream.Position = 0;
        Stream.CopyTo(copy.Stream);
        copy.Stream.Flush(flushToDisk: true);
        return copy.Publish();
    }

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int Open(string path, int flags, uint mode);

    [LibraryImport("libc", EntryPoint = "linkat", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int Link(int fromDirectory, string from, int toDirectory, string to, int flags);
}
