namespace NftCluster.Node.Export;

/// <summary>An export under a hidden name until it is renamed: for file systems that cannot do without. A killed writer's is swept by the next.</summary>
internal sealed class NamedExportFile : ExportFile
{
    private readonly string _directory;
    private readonly string _stem;
    private readonly string _partial;
    private bool _isPublished;

    public NamedExportFile(string directory, string stem)
    {
        _directory = directory;
        _stem = stem;
        _partial = Path.Combine(directory, ExportNames.Partial(stem));
        // No sharing: the lock that comes with it tells other instances' sweeps that this file is alive.
        Stream = new FileStream(_partial, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, bufferSize: 0);
    }

    public override FileStream Stream { get; }

    public override string Publish()
    {
        for (int attempt = 1; ; attempt++)
        {
            string final = Path.Combine(_directory, ExportNames.Final(_stem, attempt));
            try
            {
                File.Move(_partial, final, overwrite: false);
                _isPublished = true;
                return final;
            }
            catch (IOException) when (File.Exists(final))
            {
                // The name is taken by an earlier export of the same second and session: the next one is tried.
            }
        }
    }

    public override void Dispose()
    {
        Stream.Dispose();
        if (_isPublished)
        {
            return;
        }
        try
        {
            File.Delete(_partial);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The directory is gone or read-only by now: the next run's sweep takes it.
        }
    }
}
