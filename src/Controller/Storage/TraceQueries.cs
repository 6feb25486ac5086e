using System.Runtime.CompilerServices;
using System.Text.Json;
using Microsoft.Data.Sqlite;
using NftCluster.Messages;

namespace NftCluster.Controller.Storage;

/// <summary>
/// Reads what is stored, beside the writer. Thread-safe: each call has a connection of its own and sees the state as it was when it began.
/// Throws <see cref="StorageException"/> with one line.
/// </summary>
internal sealed class TraceQueries(Database database)
{
    /// <summary>A page in the order of storing: summaries tell which segments are unpacked.</summary>
    public Task<TracePage> FindAsync(TraceQuery query, CancellationToken cancellation) => Task.Run(() => Guarded(() => Find(query, cancellation)), cancellation);

    /// <summary>Null where it never was, or is no more.</summary>
    public Task<StoredTrace?> GetAsync(string sessionId, TraceId id, CancellationToken cancellation) => Task.Run(() => Guarded(() => Get(sessionId, id)), cancellation);

    /// <summary>Those of the session that are there; a frame with several of them is unpacked once.</summary>
    public Task<IReadOnlyDictionary<TraceId, TraceRecord>> ManyAsync(string sessionId, IEnumerable<TraceId> ids, CancellationToken cancellation) =>
        Task.Run<IReadOnlyDictionary<TraceId, TraceRecord>>(() => Guarded(() => Many(sessionId, ids)), cancellation);

    /// <summary>All of a session, or of these frames of it, in the order of storing, a segment at a time in memory.</summary>
    public async IAsyncEnumerable<StoredTrace> AllAsync(string sessionId, FrameRange range, [EnumeratorCancellation] CancellationToken cancellation)
    {
        TraceQuery query = new() { SessionId = sessionId, Frames = range, OldestFirst = true, Limit = TraceQuery.MostPerPage };
        while (true)
        {
            TracePage page = await FindAsync(query, cancellation);
            foreach (StoredTrace trace in page.Traces)
            {
                yield return trace;
            }
            if (page.Next is null)
            {
                yield break;
            }
            query = query with { After = page.Next };
        }
    }

    /// <summary>The newest frame of the session that is stored; 0 = none. It grows with whatever is stored.</summary>
    public Task<long> LastFrameAsync(string sessionId, CancellationToken cancellation) => Task.Run(() => Guarded(() => Rows("SELECT coalesce(max(id), 0) FROM frames WHERE session_id = $session", sessionId, row => row.GetInt64(0))[0]), cancellation);

    /// <summary>Traces of the session that are stored.</summary>
    public Task<long> CountAsync(string sessionId, CancellationToken cancellation) => Task.Run(() => Guarded(() => Rows("SELECT coalesce(sum(traces), 0) FROM frames WHERE session_id = $session AND traces > 0", sessionId, row => row.GetInt64(0))[0]), cancellation);

    /// <summary>Bytes that the session's traces take on the disk, compressed as they came; summaries come on top.</summary>
    public Task<long> StoredBytesAsync(string sessionId, CancellationToken cancellation) => Task.Run(() => Guarded(() => Rows("SELECT coalesce(sum(length(payload)), 0) FROM frames WHERE session_id = $session AND traces > 0", sessionId, row => row.GetInt64(0))[0]), cancellation);

    /// <summary>Of the session, and of its nodes as a whole while it had traces there.</summary>
    public Task<IReadOnlyList<StoredLoss>> LossesAsync(string sessionId, CancellationToken cancellation) => Task.Run<IReadOnlyList<StoredLoss>>(() => Guarded(() => Losses(sessionId)), cancellation);

    /// <summary>What retention took from the session, as losses at the stage <c>retention</c>.</summary>
    public Task<IReadOnlyList<StoredLoss>> RemovalsAsync(string sessionId, CancellationToken cancellation) => Task.Run<IReadOnlyList<StoredLoss>>(() => Guarded(() => Removals(sessionId)), cancellation);

    public Task<IReadOnlyList<StoredReport>> ReportsAsync(string sessionId, CancellationToken cancellation) => Task.Run<IReadOnlyList<StoredReport>>(() => Guarded(() => Reports(sessionId)), cancellation);

    private TracePage Find(TraceQuery query, CancellationToken cancellation)
    {
        using SqliteConnection connection = database.Connect();
        using SqliteCommand ask = Segments(connection, query);
        using SqliteDataReader rows = ask.ExecuteReader();
        using SegmentReader reader = new(connection);
        List<StoredTrace> found = [];
        while (rows.Read())
        {
            cancellation.ThrowIfCancellationRequested();
            if (query.Parts.Count > 0 && !rows.IsDBNull(1) && !TermFilter.MayMatch(rows.GetFieldValue<byte[]>(1), query.Parts))
            {
                continue;
            }
            long frame = rows.GetInt64(0);
            List<int> matches = SegmentScan.Matches(reader.Columns(frame), query.Parts, query.FromNs, query.ToNs);
            if (query.After is { } after && after.Frame == frame)
            {
                matches.RemoveAll(index => query.OldestFirst ? index <= after.Index : index >= after.Index);
            }
            if (query.Values.Count > 0)
            {
                matches = reader.Only(frame, matches, query.Values);
            }
            if (!query.OldestFirst)
            {
                matches.Reverse();
            }
            int room = query.Limit - found.Count;
            bool isMore = matches.Count > room;
            if (isMore)
            {
                matches.RemoveRange(room, matches.Count - room);
            }
            found.AddRange(reader.Read(frame, matches));
            if (isMore || found.Count == query.Limit)
            {
                return new TracePage(found, new TraceCursor(frame, matches[^1]));
            }
        }
        return new TracePage(found, null);
    }

    private static SqliteCommand Segments(SqliteConnection connection, TraceQuery query)
    {
        string nodes = string.Join(", ", query.Nodes.Select((_, i) => $"$node{i}"));
        SqliteCommand ask = connection.Command($"""
            SELECT f.id, s.bits FROM frames f LEFT JOIN segment_filters s ON s.frame_id = f.id
            WHERE f.session_id = $session AND f.traces > 0 AND f.first_ns <= $to AND f.last_ns >= $from AND f.id > $behind AND f.id <= $last
            {(query.After is null ? "" : query.OldestFirst ? "AND f.id >= $after" : "AND f.id <= $after")}
            {(query.Nodes.Count == 0 ? "" : $"AND f.node_id IN ({nodes})")}
            ORDER BY f.id {(query.OldestFirst ? "ASC" : "DESC")}
            """).With("$session", query.SessionId).With("$from", query.FromNs).With("$to", query.ToNs).With("$behind", query.Frames.Behind).With("$last", query.Frames.Last);
        if (query.After is { } after)
        {
            ask.With("$after", after.Frame);
        }
        for (int i = 0; i < query.Nodes.Count; i++)
        {
            ask.With($"$node{i}", query.Nodes[i]);
        }
        return ask;
    }

    private StoredTrace? Get(string sessionId, TraceId id) => Many(sessionId, [id]).TryGetValue(id, out TraceRecord? trace) ? new StoredTrace(id, sessionId, trace) : null;

    private Dictionary<TraceId, TraceRecord> Many(string sessionId, IEnumerable<TraceId> ids)
    {
        Dictionary<TraceId, TraceRecord> found = [];
        using SqliteConnection connection = database.Connect();
        using SegmentReader reader = new(connection);
        using SqliteCommand ask = connection.Command("SELECT id, traces FROM frames WHERE node_id = $node AND epoch = $epoch AND sequence = $sequence AND session_id = $session").With("$session", sessionId);
        foreach (IGrouping<(string NodeId, ulong Epoch, ulong Sequence), TraceId> frame in ids.Distinct().GroupBy(id => (id.NodeId, id.Epoch, id.Sequence)))
        {
            (long Id, int Traces)? row = null;
            using (SqliteDataReader rows = ask.With("$node", frame.Key.NodeId).With("$epoch", (long)frame.Key.Epoch).With("$sequence", (long)frame.Key.Sequence).ExecuteReader())
            {
                row = rows.Read() ? (rows.GetInt64(0), rows.GetInt32(1)) : null;
            }
            if (row is { } stored)
            {
                int[] indexes = [.. frame.Select(id => id.Index).Where(index => index >= 0 && index < stored.Traces).Order()];
                foreach (StoredTrace trace in reader.Read(stored.Id, indexes))
                {
                    found[trace.Id] = trace.Trace;
                }
            }
        }
        return found;
    }

    private List<StoredLoss> Losses(string sessionId) => Rows(
        """
        SELECT session_id, node_id, stage, kind, count, from_ns, to_ns, text FROM losses
        WHERE session_id = $session OR (session_id = '' AND node_id IN (SELECT node_id FROM reports WHERE session_id = $session))
        ORDER BY id
        """,
        sessionId,
        row => new StoredLoss(row.GetString(0), row.GetString(1), row.GetString(2), row.GetString(3), row.IsDBNull(4) ? null : row.GetInt64(4), row.GetInt64(5), row.GetInt64(6), row.GetString(7)));

    private List<StoredLoss> Removals(string sessionId) => Rows(
        "SELECT node_id, traces, from_ns, to_ns, reason FROM removals WHERE session_id = $session ORDER BY id",
        sessionId,
        row => new StoredLoss(sessionId, row.GetString(0), "retention", "traces", row.GetInt64(1), row.GetInt64(2), row.GetInt64(3), row.GetString(4)));

    private List<StoredReport> Reports(string sessionId) => Rows(
        "SELECT node_id, epoch, state, failure_reason, statistics, at_ns FROM reports WHERE session_id = $session ORDER BY node_id, at_ns",
        sessionId,
        row => new StoredReport(row.GetString(0), (ulong)row.GetInt64(1), row.GetString(2), row.GetString(3) is { Length: > 0 } failure ? failure : null,
            JsonSerializer.Deserialize(row.GetString(4), TraceJson.Default.StatisticsRecord)!, row.GetInt64(5)));

    private List<T> Rows<T>(string sql, string sessionId, Func<SqliteDataReader, T> read)
    {
        using SqliteConnection connection = database.Connect();
        using SqliteCommand ask = connection.Command(sql).With("$session", sessionId);
        using SqliteDataReader rows = ask.ExecuteReader();
        List<T> list = [];
        while (rows.Read())
        {
            list.Add(read(rows));
        }
        return list;
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
        catch (Exception damaged) when (damaged is InvalidDataException or JsonException)
        {
            throw new StorageException($"a stored frame is damaged: {damaged.Message}", damaged);
        }
    }
}
