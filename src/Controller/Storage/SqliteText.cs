using Microsoft.Data.Sqlite;

namespace NftCluster.Controller.Storage;

/// <summary>Commands in one line, and SQLite's refusals in words.</summary>
internal static class SqliteText
{
    private const int Busy = 5;
    private const int ReadOnly = 8;
    private const int InputOutput = 10;
    private const int Corrupt = 11;
    private const int Full = 13;

    public static SqliteCommand Command(this SqliteConnection connection, string sql)
    {
        SqliteCommand command = connection.CreateCommand();
        command.CommandText = sql;
        return command;
    }

    /// <summary>Sets a parameter; null is SQL's NULL.</summary>
    public static SqliteCommand With(this SqliteCommand command, string name, object? value)
    {
        int at = command.Parameters.IndexOf(name);
        if (at < 0)
        {
            command.Parameters.AddWithValue(name, value ?? DBNull.Value);
        }
        else
        {
            command.Parameters[at].Value = value ?? DBNull.Value;
        }
        return command;
    }

    public static bool IsFull(SqliteException refused) => refused.SqliteErrorCode is Full or InputOutput;

    public static string Explain(SqliteException refused) => refused.SqliteErrorCode switch
    {
        Full => "the disk of the state directory is full: free some space, or set retention lower",
        InputOutput => "the disk of the state directory cannot be written (an input/output error, or no space left)",
        Busy => "the database is busy: another process writes to it",
        ReadOnly => "the database may only be read: check the owner of the state directory",
        Corrupt => "the database is damaged: restore a backup (nftcluster controller restore)",
        _ => $"the database refuses: {refused.Message}",
    };
}
