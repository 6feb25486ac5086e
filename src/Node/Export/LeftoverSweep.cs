namespace NftCluster.Node.Export;

/// <summary>Removes what a killed writer left behind: partial files whose process is gone.</summary>
internal static class LeftoverSweep
{
    /// <summary>The names removed; a directory that cannot be listed has nothing to sweep, the writer will say what is wrong with it.</summary>
    public static IReadOnlyList<string> Run(string directory)
    {
        var removed = new List<string>();
        try
        {
            foreach (string path in Directory.EnumerateFiles(directory, ExportNames.PartialPattern, new EnumerationOptions { AttributesToSkip = FileAttributes.None }))
            {
                if (ExportNames.TryGetWriter(Path.GetFileName(path), out int pid) && !IsAlive(pid) && IsUnlocked(path))
                {
                    File.Delete(path);
                    removed.Add(Path.GetFileName(path));
                }
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Not ours to delete, or another instance swept first: leftovers are never worth failing for.
        }

        return removed;
    }

    /// <summary>A killed process that its parent has not collected yet still has its pid, but writes no more.</summary>
    private static bool IsAlive(int pid)
    {
        try
        {
            string stat = File.ReadAllText($"/proc/{pid}/stat");
            int afterName = stat.LastIndexOf(')') + 2;
            return afterName >= stat.Length || stat[afterName] is not ('Z' or 'X');
        }
        catch (IOException)
        {
            // No such process.
            return false;
        }
    }

    /// <summary>A writer in another container has a pid that we cannot see, but holds the file's lock.</summary>
    private static bool IsUnlocked(string path)
    {
        try
        {
            using var probe = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None, bufferSize: 0);
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }
}
