using Microsoft.Data.Sqlite;

namespace NftCluster.Node.Spool;

/// <summary>The spool's file: opened, made when it is not there, and its statements kept. One owner, one connection.</summary>
internal sealed class SpoolDatabase : IDisposable
{
    private const int Version = 1;

    // Payloads apart: giving a frame its number must not write its bytes again. AUTOINCREMENT: whoever sends asks for what comes
    // after an id, so an id must not come again when the table was empty in between.
    private const string Schema = """
        CREATE TABLE frames(id INTEGER PRIMARY KEY AUTOINCREMENT, epoch INTEGER, sequence INTEGER, kind INTEGER NOT NULL, session TEXT NOT NULL,
                            at_ns INTEGER NOT NULL, from_ns INTEGER NOT NULL, to_ns INTEGER NOT NULL, things INTEGER NOT NULL, bytes INTEGER NOT NULL);
        CREATE UNIQUE INDEX frames_number ON frames(epoch, sequence) WHERE epoch IS NOT NULL;
        CREATE INDEX frames_unnumbered ON frames(kind, id) WHERE epoch IS NULL;
        CREATE TABLE payloads(id INTEGER PRIMARY KEY, compression INTEGER NOT NULL, plain_bytes INTEGER NOT NULL, hash INTEGER NOT NULL, payload BLOB NOT NULL);
        CREATE TABLE facts(name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
        """;

    private readonly SqliteConnection _connection;
    private readonly Dictionary<string, SqliteCommand> _commands = new(StringComparer.Ordinal);
    private SqliteTransaction? _transaction;

    /// <summary>Throws <see cref="SpoolException"/> with one line.</summary>
    public SpoolDatabase(SpoolOptions options)
    {
        try
        {
            Directory.CreateDirectory(options.Directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            if (!File.Exists(options.File))
            {
                using var _ = new FileStream(options.File, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite });
            }
            _connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = options.File, Pooling = false, DefaultTimeout = 2 }.ToString());
            _connection.Open();
            // FULL: a number that was given must not be forgotten by a power cut, or its content would be stored twice.
            Execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA locking_mode=EXCLUSIVE; PRAGMA temp_store=MEMORY; PRAGMA journal_size_limit=4194304;");
            Prepare(options.File);
        }
        catch (SqliteException failure)
        {
            _connection?.Dispose();
            throw new SpoolException(failure.SqliteErrorCode is 5 or 6
                ? $"the spool {options.File} is in use: another node runs with this state directory"
                : $"the spool {options.File} cannot be opened: {failure.Message.ReplaceLineEndings(" ")}", failure);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new SpoolException($"the spool {options.File} cannot be made: {failure.Message}", failure);
        }
    }

    public void Execute(string text)
    {
        using SqliteCommand command = _connection.CreateCommand();
        command.CommandText = text;
        command.Transaction = _transaction;
        command.ExecuteNonQuery();
    }

    /// <summary>All of it or nothing.</summary>
    public void InTransaction(Action step)
    {
        _transaction = _connection.BeginTransaction();
        try
        {
            step();
            _transaction.Commit();
        }
        finally
        {
            _transaction.Dispose(); // rolls back what was not committed
            _transaction = null;
        }
    }

    public int Run(string text, params ReadOnlySpan<object?> values) => Bound(text, values).ExecuteNonQuery();

    public long Number(string text, params ReadOnlySpan<object?> values) => Bound(text, values).ExecuteScalar() is long number ? number : 0;

    public byte[]? Bytes(string text, params ReadOnlySpan<object?> values) => Bound(text, values).ExecuteScalar() as byte[];

    public SqliteDataReader Read(string text, params ReadOnlySpan<object?> values) => Bound(text, values).ExecuteReader();

    public void Dispose()
    {
        foreach (SqliteCommand command in _commands.Values)
        {
            command.Dispose();
        }
        _connection.Dispose();
    }

    private void Prepare(string file)
    {
        long version = Number("PRAGMA user_version");
        if (version > Version)
        {
            throw new SpoolException($"the spool {file} was made by a newer nftcluster: use that one, or another state directory");
        }
        InTransaction(() =>
        {
            if (version == 0)
            {
                Execute(Schema + $"PRAGMA user_version={Version};");
            }
            // Takes the exclusive lock now: a second node is refused before it does anything.
            Execute("INSERT OR REPLACE INTO facts(name, value) VALUES('opened', x'01')");
        });
    }

    private SqliteCommand Bound(string text, ReadOnlySpan<object?> values)
    {
        if (!_commands.TryGetValue(text, out SqliteCommand? command))
        {
            command = _connection.CreateCommand();
            command.CommandText = text;
            _commands.Add(text, command);
        }
        command.Transaction = _transaction;
        command.Parameters.Clear();
        for (int i = 0; i < values.Length; i++)
        {
            command.Parameters.AddWithValue($"${i + 1}", values[i] ?? DBNull.Value);
        }
        return command;
    }
}
