using NftCluster.Lab;

namespace NftCluster.Tests.Truth;

/// <summary>A file system of its own in memory, that can be filled to the last byte and freed again.</summary>
internal sealed class SmallDisk : IDisposable
{
    private readonly string _path;

    private SmallDisk(string path) => _path = path;

    private string Filler => Path.Combine(_path, "filler");

    public static SmallDisk Mount(string path, int mebibytes)
    {
        Directory.CreateDirectory(path);
        Assert.Equal(0, Tool.Run("mount", ["-t", "tmpfs", "-o", FormattableString.Invariant($"size={mebibytes}m,mode=0700"), "tmpfs", path]).ExitCode);
        return new SmallDisk(path);
    }

    public void Fill()
    {
        using FileStream filler = File.Create(Filler);
        byte[] block = new byte[4096];
        try
        {
            while (true)
            {
                filler.Write(block);
                filler.Flush(); // so that it is the write that finds no room
            }
        }
        catch (IOException)
        {
            // Full, which was asked for.
        }
    }

    public void Free() => File.Delete(Filler);

    public void Dispose() => Tool.Run("umount", ["-l", _path]);
}
