using Microsoft.Data.Sqlite;
using NftCluster.Controller.Storage;
using NftCluster.Messages;

namespace NftCluster.Controller.Auth;

/// <summary>
/// Each is good for one renewal, which gives the next of its family. One that comes a second time was copied by somebody: then the whole
/// family is over, for the thief and for the user. Only hashes are stored.
/// </summary>
internal sealed class RefreshTokens(Database database, TimeProvider time, TimeSpan lifetime)
{
    private const string Prefix = "NFR1.";

    private long NowNs => TraceTime.UnixNs(time.GetUtcNow());

    public string Begin(string userId) => StorageGuard.Run(() =>
    {
        using SqliteConnection connection = database.Connect();
        using SqliteTransaction transaction = connection.BeginTransaction();
        using SqliteCommand old = connection.Command("DELETE FROM refresh_tokens WHERE expires_ns < $now").With("$now", NowNs);
        old.ExecuteNonQuery();
        string token = Add(connection, Guid.NewGuid().ToString("N"), userId);
        transaction.Commit();
        return token;
    });

    /// <summary>The user and the next token; null for one that is unknown, over, or was used before.</summary>
    public (string UserId, string Next)? Renew(string token) => StorageGuard.Run<(string, string)?>(() =>
    {
        using SqliteConnection connection = database.Connect();
        using SqliteTransaction transaction = connection.BeginTransaction();
        if (Find(connection, token) is not { } known)
        {
            return null;
        }
        if (known.IsUsed)
        {
            End(connection, known.Family);
            transaction.Commit();
            return null;
        }
        if (known.ExpiresNs <= NowNs)
        {
            return null;
        }
        using SqliteCommand use = connection.Command("UPDATE refresh_tokens SET used_ns = $now WHERE hash = $hash").With("$now", NowNs).With("$hash", Secrets.Hash(token));
        use.ExecuteNonQuery();
        string next = Add(connection, known.Family, known.UserId);
        transaction.Commit();
        return (known.UserId, next);
    });

    /// <summary>Logs out: the family of this token is over. The user, where it was one.</summary>
    public string? End(string token) => StorageGuard.Run(() =>
    {
        using SqliteConnection connection = database.Connect();
        using SqliteTransaction transaction = connection.BeginTransaction();
        if (Find(connection, token) is not { } known)
        {
            return null;
        }
        End(connection, known.Family);
        transaction.Commit();
        return known.UserId;
    });

    private string Add(SqliteConnection connection, string family, string userId)
    {
        string token = Secrets.Make(Prefix);
        using SqliteCommand add = connection.Command("INSERT INTO refresh_tokens (hash, family, user_id, expires_ns) VALUES ($hash, $family, $user, $expires)")
            .With("$hash", Secrets.Hash(token)).With("$family", family).With("$user", userId).With("$expires", NowNs + (lifetime.Ticks * 100));
        add.ExecuteNonQuery();
        return token;
    }

    private static (string UserId, string Family, long ExpiresNs, bool IsUsed)? Find(SqliteConnection connection, string token)
    {
        using SqliteCommand ask = connection.Command("SELECT user_id, family, expires_ns, used_ns FROM refresh_tokens WHERE hash = $hash").With("$hash", Secrets.Hash(token));
        using SqliteDataReader row = ask.ExecuteReader();
        return row.Read() ? (row.GetString(0), row.GetString(1), row.GetInt64(2), !row.IsDBNull(3)) : null;
    }

    private static void End(SqliteConnection connection, string family)
    {
        using SqliteCommand end = connection.Command("DELETE FROM refresh_tokens WHERE family = $family").With("$family", family);
        end.ExecuteNonQuery();
    }
}
