using Microsoft.Data.Sqlite;

namespace NftCluster.Controller.Storage;

/// <summary>A copy of the whole database while it is in use, and the way back.</summary>
internal static class Backup
{
    /// <summary>Throws <see cref="StorageException"/>; then no file of that name was made.</summary>
    public static void Make(Database database, string path)
    {
        if (File.Exists(path))
        {
            throw new StorageException($"{path} is there already: give another name");
        }
        string partial = path + ".part";
        try
        {
            new FileStream(partial, new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite }).Dispose();
            using (SqliteConnection from = database.Connect())
            using (SqliteConnection to = new($"Data Source={partial};Pooling=False"))
            {
                to.Open();
                from.BackupDatabase(to);
            }
            File.Move(partial, path);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException or SqliteException)
        {
            File.Delete(partial);
            throw new StorageException($"cannot write the backup {path}: {refused.Message}", refused);
        }
    }

    /// <summary>For a controller that does not run. What was there is kept beside it, under the name that is returned; null = there was nothing.</summary>
    public static string? Restore(string directory, string path)
    {
        Check(path);
        string live = Path.Combine(directory, Database.FileName);
        string? kept = null;
        try
        {
            Directory.CreateDirectory(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            string incoming = live + ".restore";
            File.Copy(path, incoming, overwrite: true);
            File.SetUnixFileMode(incoming, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            if (File.Exists(live))
            {
                kept = Kept(live);
                File.Move(live, kept);
            }
            foreach (string log in new[] { live + "-wal", live + "-shm" }.Where(File.Exists))
            {
                File.Move(log, (kept ?? live) + log[live.Length..], overwrite: true);
            }
            File.Move(incoming, live);
            return kept;
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            throw new StorageException($"cannot restore into {directory}: {refused.Message}", refused);
        }
    }

    private static string Kept(string live)
    {
        int number = 1;
        while (File.Exists($"{live}.before-{number}"))
        {
            number++;
        }
        return $"{live}.before-{number}";
    }

    private static void Check(string path)
    {
        try
        {
            using SqliteConnection backup = new(new SqliteConnectionStringBuilder { DataSource = path, Mode = SqliteOpenMode.ReadOnly, Pooling = false }.ToString());
            backup.Open();
            using SqliteCommand ask = backup.Command("SELECT count(*) FROM epochs");
            ask.ExecuteScalar();
        }
        catch (SqliteException refused)
        {
            throw new StorageException($"{path} is no backup of a controller: {refused.Message}", refused);
        }
    }
}
