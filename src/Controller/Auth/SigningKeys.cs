using System.Security.Cryptography;
using Microsoft.Data.Sqlite;
using Microsoft.IdentityModel.Tokens;
using NftCluster.Controller.Storage;
using NftCluster.Messages;

namespace NftCluster.Controller.Auth;

/// <summary>
/// The keys that sign access tokens (HMAC-SHA-256), named by <c>kid</c>. The newest signs; after <see cref="SignsFor"/> another one takes
/// its place, and the old one verifies what it signed until that is over.
/// </summary>
internal sealed class SigningKeys(Database database, TimeProvider time, TimeSpan tokenLifetime)
{
    public static readonly TimeSpan SignsFor = TimeSpan.FromDays(30);

    private const int Bytes = 32;

    private volatile IReadOnlyList<(SymmetricSecurityKey Key, long CreatedNs)> _keys = [];

    /// <summary>The one that signs now; made where there is none, or the newest has signed long enough.</summary>
    public SymmetricSecurityKey Current()
    {
        long now = NowNs;
        if (_keys is [var newest, ..] && newest.CreatedNs + Ns(SignsFor) > now)
        {
            return newest.Key;
        }
        // Of two requests that come here at once, the database lets one make the key, and the other find it.
        List<(SymmetricSecurityKey Key, long CreatedNs)> keys = Rotate(now);
        _keys = keys;
        return keys[0].Key;
    }

    /// <summary>The one with that name, while it may verify.</summary>
    public IEnumerable<SecurityKey> Named(string? kid)
    {
        _ = Current();
        return _keys.Where(key => key.Key.KeyId == kid).Select(key => key.Key);
    }

    private long NowNs => TraceTime.UnixNs(time.GetUtcNow());

    private List<(SymmetricSecurityKey Key, long CreatedNs)> Rotate(long now) => StorageGuard.Run(() =>
    {
        using SqliteConnection connection = database.Connect();
        using SqliteTransaction transaction = connection.BeginTransaction();
        using SqliteCommand old = connection.Command("DELETE FROM signing_keys WHERE created_ns < $oldest").With("$oldest", now - Ns(SignsFor) - Ns(tokenLifetime));
        old.ExecuteNonQuery();
        List<(SymmetricSecurityKey Key, long CreatedNs)> keys = Read(connection);
        if (keys.Count == 0 || keys[0].CreatedNs + Ns(SignsFor) <= now)
        {
            using SqliteCommand add = connection.Command("INSERT INTO signing_keys (kid, secret, created_ns) VALUES ($kid, $secret, $now)")
                .With("$kid", Guid.NewGuid().ToString("N")[..16]).With("$secret", RandomNumberGenerator.GetBytes(Bytes)).With("$now", now);
            add.ExecuteNonQuery();
            keys = Read(connection);
        }
        transaction.Commit();
        return keys;
    });

    private static List<(SymmetricSecurityKey, long)> Read(SqliteConnection connection)
    {
        using SqliteCommand ask = connection.Command("SELECT kid, secret, created_ns FROM signing_keys ORDER BY created_ns DESC");
        using SqliteDataReader rows = ask.ExecuteReader();
        List<(SymmetricSecurityKey, long)> keys = [];
        while (rows.Read())
        {
            keys.Add((new SymmetricSecurityKey(rows.GetFieldValue<byte[]>(1)) { KeyId = rows.GetString(0) }, rows.GetInt64(2)));
        }
        return keys;
    }

    private static long Ns(TimeSpan span) => span.Ticks * 100;
}
