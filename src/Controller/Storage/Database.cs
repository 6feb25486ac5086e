using Microsoft.Data.Sqlite;

namespace NftCluster.Controller.Storage;

/// <summary>
/// The controller's SQLite file: write-ahead log, each commit synced. Connections are cheap and belong to whoever opened them; SQLite
/// lets one write at a time, the others wait up to <see cref="BusySeconds"/>.
/// </summary>
internal sealed class Database
{
    public const string FileName = "controller.db";
    public const int BusySeconds = 10;

    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Pages are read in place: what a search touches again is not copied again.</summary>
    private const long MappedBytes = 1L << 30;

    private Database(string path) => Path = path;

    public string Path { get; }

    /// <summary>Makes directory (0700) and file (0600) where they are missing, and brings the schema up to date.</summary>
    public static Database Open(string directory)
    {
        string path = System.IO.Path.Combine(directory, FileName);
        try
        {
            Directory.CreateDirectory(directory, OwnerOnly | UnixFileMode.UserExecute);
            if (!File.Exists(path))
            {
                // SQLite gives the log the mode of the file.
                new FileStream(path, new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, UnixCreateMode = OwnerOnly }).Dispose();
            }
            Database database = new(path);
            using SqliteConnection connection = database.Connect();
            Migrations.Apply(connection);
            return database;
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException or SqliteException)
        {
            throw new StorageException($"cannot open {path}: {refused.Message}; choose a state directory that this user may write to, or restore a backup", refused);
        }
    }

    public SqliteConnection Connect()
    {
        SqliteConnection connection = new(new SqliteConnectionStringBuilder
        {
            DataSource = Path,
            Pooling = false, // a connection's owner keeps it
            DefaultTimeout = BusySeconds,
        }.ToString());
        try
        {
            connection.Open();
            using SqliteCommand setup = connection.CreateCommand();
            setup.CommandText = $"PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA busy_timeout = {BusySeconds * 1000}; PRAGMA mmap_size = {MappedBytes};";
            setup.ExecuteNonQuery();
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }
}
