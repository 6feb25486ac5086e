namespace NftCluster.Node.Export;

/// <summary>The file of an export while it is written: it gets its final name whole, or it never was.</summary>
internal abstract class ExportFile : IDisposable
{
    public abstract FileStream Stream { get; }

    /// <summary>Without a name where the file system can do that: then a killed process leaves nothing at all.</summary>
    public static ExportFile Create(string directory, string stem) =>
        UnnamedExportFile.TryCreate(directory, stem) ?? (ExportFile)new NamedExportFile(directory, stem);

    /// <summary>Gives the synced file the first final name that is free, and returns that. Never overwrites.</summary>
    public abstract string Publish();

    /// <summary>Closes it; what was not published is gone.</summary>
    public abstract void Dispose();
}
