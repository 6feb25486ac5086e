using Microsoft.Data.Sqlite;
using NftCluster.Controller.Storage;
using NftCluster.Messages;

namespace NftCluster.Controller.Auth;

/// <summary>Who asked for what, when, from where, and how it was answered.</summary>
internal sealed record AuditEntry(long Id, DateTimeOffset At, string Who, string Action, string Target, int Status, string Remote);

/// <summary>Appended; the database itself refuses to edit it.</summary>
internal sealed class AuditLog(Database database, TimeProvider time)
{
    public void Append(string who, string action, string target, int status, string remote) => StorageGuard.Run(() =>
    {
        using SqliteConnection connection = database.Connect();
        using SqliteCommand add = connection.Command("INSERT INTO audit (at_ns, who, action, target, status, remote) VALUES ($at, $who, $action, $target, $status, $remote)")
            .With("$at", TraceTime.UnixNs(time.GetUtcNow())).With("$who", who).With("$action", action).With("$target", target).With("$status", status).With("$remote", remote);
        return add.ExecuteNonQuery();
    });

    /// <summary>Newest first, those before this id (0 = from the newest on).</summary>
    public IReadOnlyList<AuditEntry> Read(long before, int limit) => StorageGuard.Run(() =>
    {
        using SqliteConnection connection = database.Connect();
        using SqliteCommand ask = connection.Command("SELECT id, at_ns, who, action, target, status, remote FROM audit WHERE $before = 0 OR id < $before ORDER BY id DESC LIMIT $limit")
            .With("$before", before).With("$limit", limit);
        using SqliteDataReader rows = ask.ExecuteReader();
        List<AuditEntry> entries = [];
        while (rows.Read())
        {
            entries.Add(new AuditEntry(rows.GetInt64(0), TraceTime.FromUnixNs(rows.GetInt64(1)), rows.GetString(2), rows.GetString(3), rows.GetString(4), rows.GetInt32(5), rows.GetString(6)));
        }
        return entries;
    });
}
