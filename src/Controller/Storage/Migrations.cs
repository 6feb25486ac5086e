using System.Globalization;
using System.Reflection;
using Microsoft.Data.Sqlite;

namespace NftCluster.Controller.Storage;

/// <summary>The numbered scripts in Schema/, each applied once and whole. A released script is never changed: the next one is added.</summary>
internal static class Migrations
{
    private const string Folder = "Schema.";

    public static int Newest => Scripts().Count;

    /// <summary>Throws <see cref="StorageException"/> for a file of a newer program.</summary>
    public static void Apply(SqliteConnection connection)
    {
        List<string> scripts = Scripts();
        int version = Version(connection);
        if (version > scripts.Count)
        {
            throw new StorageException($"the database has schema {version}, this program knows {scripts.Count}: start a newer nftcluster, or restore a backup that was made with this one");
        }
        for (; version < scripts.Count; version++)
        {
            // The number is part of the transaction: a script that was cut short leaves nothing.
            using SqliteTransaction transaction = connection.BeginTransaction();
            if (Version(connection) == version)
            {
                Execute(connection, Read(scripts[version]), transaction);
                Execute(connection, $"PRAGMA user_version = {version + 1}", transaction);
            }
            transaction.Commit();
        }
    }

    private static int Version(SqliteConnection connection)
    {
        using SqliteCommand ask = connection.CreateCommand();
        ask.CommandText = "PRAGMA user_version";
        return Convert.ToInt32(ask.ExecuteScalar(), CultureInfo.InvariantCulture);
    }

    private static void Execute(SqliteConnection connection, string sql, SqliteTransaction transaction)
    {
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = sql;
        command.Transaction = transaction;
        command.ExecuteNonQuery();
    }

    private static List<string> Scripts() =>
        [.. Assembly.GetExecutingAssembly().GetManifestResourceNames().Where(name => name.StartsWith(Folder, StringComparison.Ordinal)).Order(StringComparer.Ordinal)];

    private static string Read(string name)
    {
        using StreamReader reader = new(Assembly.GetExecutingAssembly().GetManifestResourceStream(name)!);
        return reader.ReadToEnd();
    }
}
