using Microsoft.Data.Sqlite;
using NftCluster.Controller.Storage;
using NftCluster.Messages;

namespace NftCluster.Controller.Auth;

/// <summary>A token for a script: named, with a role, until it is removed or over.</summary>
internal sealed record ServiceToken(string Id, string Name, string Role, string CreatedBy, DateTimeOffset CreatedAt, DateTimeOffset? ExpiresAt);

/// <summary>Given once, stored as hashes.</summary>
internal sealed class ServiceTokens(Database database, TimeProvider time)
{
    public const string Prefix = "NFS1.";

    private const string Columns = "id, name, role, created_by, created_ns, expires_ns";

    public IReadOnlyList<ServiceToken> All() => Rows($"SELECT {Columns} FROM service_tokens ORDER BY name", _ => { });

    /// <summary>Null where the name is taken.</summary>
    public (ServiceToken Token, string Secret)? Add(string name, string role, string by, TimeSpan? lives)
    {
        string secret = Secrets.Make(Prefix);
        long now = TraceTime.UnixNs(time.GetUtcNow());
        string id = Guid.NewGuid().ToString("N");
        try
        {
            Write("INSERT INTO service_tokens (id, name, hash, role, created_by, created_ns, expires_ns) VALUES ($id, $name, $hash, $role, $by, $now, $expires)",
                ask => ask.With("$id", id).With("$name", name).With("$hash", Secrets.Hash(secret)).With("$role", role).With("$by", by).With("$now", now).With("$expires", lives is { } span ? now + (span.Ticks * 100) : null));
        }
        catch (SqliteException taken) when (StorageGuard.IsTaken(taken))
        {
            return null;
        }
        return (Rows($"SELECT {Columns} FROM service_tokens WHERE id = $id", ask => ask.With("$id", id))[0], secret);
    }

    /// <summary>Refused from the next request on. False where there is none.</summary>
    public bool Remove(string id) => Write("DELETE FROM service_tokens WHERE id = $id", ask => ask.With("$id", id)) > 0;

    public ServiceToken? Find(string secret) => Rows($"SELECT {Columns} FROM service_tokens WHERE hash = $hash AND (expires_ns IS NULL OR expires_ns > $now)",
        ask => ask.With("$hash", Secrets.Hash(secret)).With("$now", TraceTime.UnixNs(time.GetUtcNow()))).FirstOrDefault();

    private int Write(string sql, Action<SqliteCommand> fill) => StorageGuard.Run(() =>
    {
        using SqliteConnection connection = database.Connect();
        using SqliteCommand command = connection.Command(sql);
        fill(command);
        return command.ExecuteNonQuery();
    });

    private List<ServiceToken> Rows(string sql, Action<SqliteCommand> fill) => StorageGuard.Run(() =>
    {
        using SqliteConnection connection = database.Connect();
        using SqliteCommand ask = connection.Command(sql);
        fill(ask);
        using SqliteDataReader rows = ask.ExecuteReader();
        List<ServiceToken> tokens = [];
        while (rows.Read())
        {
            tokens.Add(new ServiceToken(rows.GetString(0), rows.GetString(1), rows.GetString(2), rows.GetString(3), TraceTime.FromUnixNs(rows.GetInt64(4)), rows.IsDBNull(5) ? null : TraceTime.FromUnixNs(rows.GetInt64(5))));
        }
        return tokens;
    });
}
