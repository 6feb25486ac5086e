namespace NftCluster.Tests.Node.Export;

/// <summary>A directory of one test's own, gone with it.</summary>
internal sealed class TempDirectory : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("nftcluster-test-").FullName;

    public string[] Names => [.. Directory.GetFileSystemEntries(Path).Select(p => System.IO.Path.GetFileName(p)!).Order(StringComparer.Ordinal)];

    public string File(string name) => System.IO.Path.Combine(Path, name);

    /// <summary>A process that a test ended may still be writing its last file: then there is more to delete a moment later.</summary>
    public void Dispose()
    {
        for (int tries = 0; ; tries++)
        {
            try
            {
                Directory.Delete(Path, recursive: true);
                return;
            }
            catch (IOException) when (tries < 1_000)
            {
                Thread.Yield();
            }
        }
    }
}
