using Microsoft.Data.Sqlite;

namespace NftCluster.Controller.Storage;

/// <summary>Removes the oldest frames by age and size, and writes down what went: nothing disappears silently. For one thread.</summary>
internal sealed class Retention(Database database, TimeProvider time)
{
    /// <summary>Frames a transaction: commits of traces wait for no more than that.</summary>
    private const int AtOnce = 512;

    public RetentionDone Apply(RetentionLimits limits)
    {
        using SqliteConnection connection = database.Connect();
        RetentionDone done = new(0, 0, null);
        long oldest = limits.Age > TimeSpan.Zero ? Now() - limits.Age.Ticks * 100 : long.MinValue;
        while (true)
        {
            bool isLarge = limits.Bytes > 0 && Used(connection) > limits.Bytes;
            RetentionDone step = Remove(connection, isLarge ? "1" : "received_ns < $oldest", isLarge ? "size" : "age", command => command.With("$oldest", oldest));
            done = new RetentionDone(done.Frames + step.Frames, done.Traces + step.Traces, null);
            if (step.Frames == 0)
            {
                return done;
            }
        }
    }

    public RetentionDone Remove(string sessionId)
    {
        using SqliteConnection connection = database.Connect();
        RetentionDone done = new(0, 0, null);
        while (Remove(connection, "session_id = $session AND traces > 0", "deleted", command => command.With("$session", sessionId)) is { Frames: > 0 } step)
        {
            done = new RetentionDone(done.Frames + step.Frames, done.Traces + step.Traces, null);
        }
        // Last: whoever reads meanwhile still sees what was lost of the traces that he still sees. What was removed stays noted.
        using SqliteCommand rest = connection.Command("DELETE FROM losses WHERE session_id = $session; DELETE FROM reports WHERE session_id = $session").With("$session", sessionId);
        rest.ExecuteNonQuery();
        return done;
    }

    /// <summary>The oldest that the condition (a constant of this class) holds for.</summary>
    private RetentionDone Remove(SqliteConnection connection, string condition, string reason, Func<SqliteCommand, SqliteCommand> parameters)
    {
        using SqliteTransaction transaction = connection.BeginTransaction();
        string chosen = $"SELECT id FROM frames WHERE {condition} ORDER BY id LIMIT {AtOnce}";
        using SqliteCommand note = parameters(connection.Command($"""
            INSERT INTO removals (session_id, node_id, traces, from_ns, to_ns, at_ns, reason)
            SELECT session_id, node_id, sum(traces), min(first_ns), max(last_ns), $at, $reason FROM frames WHERE id IN ({chosen}) AND traces > 0 GROUP BY session_id, node_id
            RETURNING traces
            """)).With("$at", Now()).With("$reason", reason);
        long traces = 0;
        using (SqliteDataReader rows = note.ExecuteReader())
        {
            while (rows.Read())
            {
                traces += rows.GetInt64(0);
            }
        }
        using SqliteCommand remove = parameters(connection.Command($"DELETE FROM frames WHERE id IN ({chosen})"));
        int frames = remove.ExecuteNonQuery();
        transaction.Commit();
        return new RetentionDone(frames, traces, null);
    }

    /// <summary>Bytes in use in the file; what was removed is used again before the file grows.</summary>
    private static long Used(SqliteConnection connection)
    {
        using SqliteCommand ask = connection.Command("SELECT (p.page_count - f.freelist_count) * s.page_size FROM pragma_page_count p, pragma_freelist_count f, pragma_page_size s");
        return (long)ask.ExecuteScalar()!;
    }

    private long Now() => (time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks * 100;
}
