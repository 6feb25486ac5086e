using Microsoft.Data.Sqlite;
using NftCluster.Controller.Storage;
using NftCluster.Messages;

namespace NftCluster.Controller.Auth;

/// <summary>A user with what is nobody else's business.</summary>
internal sealed record Account(User User, string PasswordHash, long Version, int Failures, long LockedUntilNs);

/// <summary>
/// The users, in the database and nowhere else: each call is a transaction of its own, so nothing is remembered that another request has
/// changed. Throws <see cref="StorageException"/> where nothing can be read or written.
/// </summary>
internal sealed class Accounts(Database database, TimeProvider time)
{
    private const string Columns = "id, username, email, is_active, first_login, created_ns, last_login_ns, role, password_hash, version, failures, locked_until_ns";

    public IReadOnlyList<User> All() => [.. Rows($"SELECT {Columns} FROM users ORDER BY username", _ => { }).Select(account => account.User)];

    public Account? Find(string id) => Rows($"SELECT {Columns} FROM users WHERE id = $id", ask => ask.With("$id", id)).FirstOrDefault();

    public Account? FindByName(string username) => Rows($"SELECT {Columns} FROM users WHERE username = $name", ask => ask.With("$name", username)).FirstOrDefault();

    /// <summary>Null where the name is taken.</summary>
    public User? Add(string username, string? email, string role, string passwordHash, bool firstLogin)
    {
        string id = Guid.NewGuid().ToString("N");
        try
        {
            Write("INSERT INTO users (id, username, email, password_hash, role, is_active, first_login, version, created_ns) VALUES ($id, $name, $email, $hash, $role, 1, $first, 1, $now)",
                ask => ask.With("$id", id).With("$name", username).With("$email", email).With("$hash", passwordHash).With("$role", role).With("$first", firstLogin).With("$now", NowNs));
        }
        catch (SqliteException taken) when (StorageGuard.IsTaken(taken))
        {
            return null;
        }
        return Find(id)?.User;
    }

    /// <summary>Null = as it is. What takes rights away also ends every token. False where that would leave no admin.</summary>
    public bool Change(string id, string? role, bool? isActive, string? email) => Unlocked(id, role is not null && role != Roles.Admin || isActive == false,
        "UPDATE users SET role = coalesce($role, role), is_active = coalesce($active, is_active), email = coalesce($email, email), version = version + ($role IS NOT NULL OR $active IS NOT NULL) WHERE id = $id",
        ask => ask.With("$id", id).With("$role", role).With("$active", isActive).With("$email", email));

    /// <summary>False where that would leave no admin.</summary>
    public bool Remove(string id) => Unlocked(id, true, "DELETE FROM users WHERE id = $id", ask => ask.With("$id", id));

    /// <summary>Ends every token of the user.</summary>
    public void SetPassword(string id, string passwordHash, bool firstLogin) =>
        Write("UPDATE users SET password_hash = $hash, first_login = $first, version = version + 1, failures = 0, locked_until_ns = 0 WHERE id = $id; DELETE FROM refresh_tokens WHERE user_id = $id",
            ask => ask.With("$id", id).With("$hash", passwordHash).With("$first", firstLogin));

    public void LoggedIn(string id) => Write("UPDATE users SET last_login_ns = $now, failures = 0, locked_until_ns = 0 WHERE id = $id", ask => ask.With("$id", id).With("$now", NowNs));

    public void LoginFailed(string id, long lockedUntilNs) =>
        Write("UPDATE users SET failures = failures + 1, locked_until_ns = max(locked_until_ns, $until) WHERE id = $id", ask => ask.With("$id", id).With("$until", lockedUntilNs));

    /// <summary>Of the user: access tokens that were given until now are over.</summary>
    public void EndTokens(string id) => Write("UPDATE users SET version = version + 1 WHERE id = $id; DELETE FROM refresh_tokens WHERE user_id = $id", ask => ask.With("$id", id));

    private long NowNs => TraceTime.UnixNs(time.GetUtcNow());

    private bool Unlocked(string id, bool mayRemoveAdmin, string sql, Action<SqliteCommand> fill) => StorageGuard.Run(() =>
    {
        using SqliteConnection connection = database.Connect();
        using SqliteTransaction transaction = connection.BeginTransaction();
        if (mayRemoveAdmin)
        {
            using SqliteCommand others = connection.Command("SELECT count(*) FROM users WHERE role = 'admin' AND is_active = 1 AND id <> $id").With("$id", id);
            if ((long)others.ExecuteScalar()! == 0 && Find(id)?.User is { Role: Roles.Admin, IsActive: true })
            {
                return false;
            }
        }
        using SqliteCommand change = connection.Command(sql);
        fill(change);
        change.ExecuteNonQuery();
        transaction.Commit();
        return true;
    });

    private void Write(string sql, Action<SqliteCommand> fill) => StorageGuard.Run(() =>
    {
        using SqliteConnection connection = database.Connect();
        using SqliteTransaction transaction = connection.BeginTransaction();
        using SqliteCommand command = connection.Command(sql);
        fill(command);
        command.ExecuteNonQuery();
        transaction.Commit();
        return true;
    });

    private List<Account> Rows(string sql, Action<SqliteCommand> fill) => StorageGuard.Run(() =>
    {
        using SqliteConnection connection = database.Connect();
        using SqliteCommand ask = connection.Command(sql);
        fill(ask);
        using SqliteDataReader rows = ask.ExecuteReader();
        List<Account> accounts = [];
        while (rows.Read())
        {
            accounts.Add(Read(rows));
        }
        return accounts;
    });

    private static Account Read(SqliteDataReader row) => new(
        new User
        {
            Id = row.GetString(0),
            Username = row.GetString(1),
            Email = row.IsDBNull(2) ? null : row.GetString(2),
            IsActive = row.GetBoolean(3),
            FirstLogin = row.GetBoolean(4),
            CreatedAt = TraceTime.FromUnixNs(row.GetInt64(5)),
            LastLogin = row.IsDBNull(6) ? null : TraceTime.FromUnixNs(row.GetInt64(6)),
            Role = row.GetString(7),
        },
        row.GetString(8), row.GetInt64(9), row.GetInt32(10), row.GetInt64(11));
}
