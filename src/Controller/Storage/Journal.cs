using Microsoft.Data.Sqlite;

namespace NftCluster.Controller.Storage;

/// <summary>One fact of a stream, as JSON; <paramref name="AtNs"/> since 1970.</summary>
internal sealed record JournalEvent(string Kind, string Json, long AtNs);

/// <summary>A stream's snapshot and what came after it.</summary>
internal sealed record JournalStream(JournalSnapshot? Snapshot, IReadOnlyList<JournalEvent> Events, long Version);

/// <summary>The state after <paramref name="Version"/> events.</summary>
internal sealed record JournalSnapshot(long Version, string Json);

/// <summary>
/// Append-only streams of events. Thread-safe: each call has a connection of its own, and of two that append the same version
/// one is refused.
/// </summary>
internal sealed class Journal(Database database)
{
    /// <summary>
    /// Appends behind <paramref name="expectedVersion"/> (0 = a new stream) and returns the new version once it is durable; null when the
    /// stream is elsewhere by now: read it again. Throws <see cref="StorageException"/> where nothing could be written.
    /// </summary>
    public Task<long?> AppendAsync(string stream, long expectedVersion, IReadOnlyList<JournalEvent> events, CancellationToken cancellation) =>
        Task.Run<long?>(() => Guarded(() => Append(stream, expectedVersion, events)), cancellation);

    public Task<JournalStream> ReadAsync(string stream, CancellationToken cancellation) => Task.Run(() => Guarded(() => Read(stream)), cancellation);

    /// <summary>Names of all streams that begin so, in order.</summary>
    public Task<IReadOnlyList<string>> StreamsAsync(string prefix, CancellationToken cancellation) =>
        Task.Run<IReadOnlyList<string>>(() => Guarded(() => Streams(prefix)), cancellation);

    public Task SnapshotAsync(string stream, JournalSnapshot snapshot, CancellationToken cancellation) =>
        Task.Run(() => Guarded(() => Snapshot(stream, snapshot)), cancellation);

    private long? Append(string stream, long expectedVersion, IReadOnlyList<JournalEvent> events)
    {
        using SqliteConnection connection = database.Connect();
        using SqliteTransaction transaction = connection.BeginTransaction();
        if (VersionOf(connection, stream) != expectedVersion)
        {
            return null;
        }
        using SqliteCommand insert = connection.Command("INSERT INTO journal (stream, version, kind, json, at_ns) VALUES ($stream, $version, $kind, $json, $at)");
        long version = expectedVersion;
        foreach (JournalEvent e in events)
        {
            insert.With("$stream", stream).With("$version", ++version).With("$kind", e.Kind).With("$json", e.Json).With("$at", e.AtNs).ExecuteNonQuery();
        }
        transaction.Commit();
        return version;
    }

    private static long VersionOf(SqliteConnection connection, string stream)
    {
        using SqliteCommand ask = connection.Command("SELECT coalesce(max(version), 0) FROM journal WHERE stream = $stream").With("$stream", stream);
        return (long)ask.ExecuteScalar()!;
    }

    private JournalStream Read(string stream)
    {
        using SqliteConnection connection = database.Connect();
        using SqliteTransaction unchanging = connection.BeginTransaction(deferred: true);
        JournalSnapshot? snapshot = null;
        using (SqliteCommand ask = connection.Command("SELECT version, json FROM snapshots WHERE stream = $stream").With("$stream", stream))
        using (SqliteDataReader row = ask.ExecuteReader())
        {
            if (row.Read())
            {
                snapshot = new JournalSnapshot(row.GetInt64(0), row.GetString(1));
            }
        }
        List<JournalEvent> events = [];
        long version = snapshot?.Version ?? 0;
        using SqliteCommand after = connection.Command("SELECT version, kind, json, at_ns FROM journal WHERE stream = $stream AND version > $version ORDER BY version")
            .With("$stream", stream).With("$version", version);
        using SqliteDataReader rows = after.ExecuteReader();
        while (rows.Read())
        {
            version = rows.GetInt64(0);
            events.Add(new JournalEvent(rows.GetString(1), rows.GetString(2), rows.GetInt64(3)));
        }
        return new JournalStream(snapshot, events, version);
    }

    private List<string> Streams(string prefix)
    {
        using SqliteConnection connection = database.Connect();
        using SqliteCommand ask = connection.Command("SELECT DISTINCT stream FROM journal WHERE substr(stream, 1, length($prefix)) = $prefix ORDER BY stream").With("$prefix", prefix);
        using SqliteDataReader rows = ask.ExecuteReader();
        List<string> streams = [];
        while (rows.Read())
        {
            streams.Add(rows.GetString(0));
        }
        return streams;
    }

    private int Snapshot(string stream, JournalSnapshot snapshot)
    {
        using SqliteConnection connection = database.Connect();
        using SqliteCommand replace = connection.Command("INSERT INTO snapshots (stream, version, json) VALUES ($stream, $version, $json) ON CONFLICT (stream) DO UPDATE SET version = excluded.version, json = excluded.json WHERE excluded.version > version")
            .With("$stream", stream).With("$version", snapshot.Version).With("$json", snapshot.Json);
        return replace.ExecuteNonQuery();
    }

    private static T Guarded<T>(Func<T> work)
    {
        try
        {
            return work();
        }
        catch (SqliteException refused)
        {
            throw new StorageException(SqliteText.Explain(refused), refused);
        }
    }
}
