using NftCluster.Node.Export;

namespace NftCluster.Tests.Node.Export;

/// <summary>Files without names, which not every file system has.</summary>
internal static class Unnamed
{
    public static void Required(string directory)
    {
        using var file = UnnamedExportFile.TryCreate(directory, "probe");
        Assert.SkipWhen(file is null, $"the file system of {directory} has no files without names (O_TMPFILE)");
    }

    /// <summary>Files in this directory that a process holds and that have no name there.</summary>
    public static int HeldBy(int pid, string directory)
    {
        try
        {
            return Directory.EnumerateFileSystemEntries($"/proc/{pid}/fd")
                .Select(fd => new FileInfo(fd).LinkTarget ?? "")
                .Count(target => target.StartsWith($"{directory}/#", StringComparison.Ordinal) && target.EndsWith(" (deleted)", StringComparison.Ordinal));
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            // It ended meanwhile.
            return 0;
        }
    }
}
