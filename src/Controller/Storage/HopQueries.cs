using Google.Protobuf;
using Microsoft.Data.Sqlite;
using NftCluster.Controller.Cluster;
using NftCluster.Messages.Link;

namespace NftCluster.Controller.Storage;

/// <summary>One stored frame's traces, as far as joining needs them; the bound of the clock grows with the time that they waited at the node; with those that pass the search, null = all.</summary>
internal sealed record StoredHops(string NodeId, ulong Epoch, ulong Sequence, long? ClockOffsetNs, long? ClockBoundNs, HopBatch Batch, HashSet<int>? Matches);

/// <summary>A frame's first and last packet, ns since 1970 on the controller's clock, and how many traces it has.</summary>
internal readonly record struct FrameSpan(long Id, long FirstNs, long LastNs, int Traces);

/// <summary>
/// Reads what is stored in the order of time, times aligned by what was known of a node's clock when it was stored. One connection, for one
/// caller: what it sees is the state as it was when it began.
/// </summary>
internal sealed class HopQueries : IDisposable
{
    private const string First = "(first_ns - coalesce(clock_offset_ns, 0))";
    private const string Last = "(last_ns - coalesce(clock_offset_ns, 0))";

    private readonly SqliteConnection _connection;
    private readonly SqliteTransaction _snapshot;
    private readonly SegmentReader _summaries;
    private readonly string _session;

    public HopQueries(Database database, string session)
    {
        _connection = database.Connect();
        _snapshot = _connection.BeginTransaction(deferred: true);
        _summaries = new SegmentReader(_connection);
        _session = session;
    }

    /// <summary>The session that a stored trace belongs to; null where it never was, or is no more.</summary>
    public static string? SessionOf(Database database, TraceId id)
    {
        using SqliteConnection connection = database.Connect();
        using SqliteCommand ask = connection.Command("SELECT session_id FROM frames WHERE node_id = $node AND epoch = $epoch AND sequence = $sequence AND traces > $index")
            .With("$node", id.NodeId).With("$epoch", (long)id.Epoch).With("$sequence", (long)id.Sequence).With("$index", id.Index);
        return ask.ExecuteScalar() as string;
    }

    /// <summary>Every frame that has a packet in this time, ends included, by its first.</summary>
    public List<FrameSpan> Spans(long fromNs, long toNs)
    {
        using SqliteCommand ask = _connection.Command($"SELECT id, {First}, {Last}, traces FROM frames WHERE session_id = $session AND traces > 0 AND {Last} >= $from AND {First} <= $to ORDER BY 2, 1")
            .With("$session", _session).With("$from", fromNs).With("$to", toNs);
        return Spans(ask);
    }

    /// <summary>Those that were stored after that one.</summary>
    public List<FrameSpan> SpansBehind(long frame)
    {
        using SqliteCommand ask = _connection.Command($"SELECT id, {First}, {Last}, traces FROM frames INDEXED BY frames_by_session WHERE session_id = $session AND traces > 0 AND id > $frame").With("$session", _session).With("$frame", frame);
        return Spans(ask);
    }

    private static List<FrameSpan> Spans(SqliteCommand ask)
    {
        using SqliteDataReader rows = ask.ExecuteReader();
        List<FrameSpan> spans = [];
        while (rows.Read())
        {
            spans.Add(new FrameSpan(rows.GetInt64(0), rows.GetInt64(1), rows.GetInt64(2), rows.GetInt32(3)));
        }
        return spans;
    }

    /// <summary>When the trace was first seen, aligned.</summary>
    public long? TimeOf(TraceId id)
    {
        using SqliteCommand ask = Frames("node_id = $node AND epoch = $epoch AND sequence = $sequence").With("$node", id.NodeId).With("$epoch", (long)id.Epoch).With("$sequence", (long)id.Sequence);
        return Read(ask, new TraceQuery { SessionId = _session }).FirstOrDefault() is { } stored && id.Index >= 0 && id.Index < stored.Batch.Trace.Count
            ? stored.Batch.BaseNs + stored.Batch.Trace[id.Index].FirstSeenNs - (stored.ClockOffsetNs ?? 0)
            : null;
    }

    /// <summary>With those that pass the search's conditions, where it has any.</summary>
    public IEnumerable<StoredHops> Read(IEnumerable<FrameSpan> frames, TraceQuery search)
    {
        foreach (FrameSpan frame in frames)
        {
            foreach (StoredHops stored in Read(Frames("id = $id").With("$id", frame.Id), search))
            {
                yield return stored;
            }
        }
    }

    /// <summary>Whether a trace of these frames may pass the search: a look at the filters alone.</summary>
    public bool MayMatch(IEnumerable<FrameSpan> frames, IReadOnlyList<QueryPart> parts)
    {
        if (parts.Count == 0)
        {
            return true;
        }
        using SqliteCommand ask = _connection.Command("SELECT bits FROM segment_filters WHERE frame_id = $id");
        foreach (FrameSpan frame in frames)
        {
            if (ask.With("$id", frame.Id).ExecuteScalar() is not byte[] bits || TermFilter.MayMatch(bits, parts))
            {
                return true;
            }
        }
        return false;
    }

    public void Dispose()
    {
        _summaries.Dispose();
        _snapshot.Dispose();
        _connection.Dispose();
    }

    private HashSet<int> Matches(long frame, TraceQuery search)
    {
        List<int> matches = SegmentScan.Matches(_summaries.Columns(frame), search.Parts, long.MinValue, long.MaxValue);
        return [.. search.Values.Count == 0 ? matches : _summaries.Only(frame, matches, search.Values)];
    }

    private SqliteCommand Frames(string where) =>
        _connection.Command($"SELECT id, node_id, epoch, sequence, hash, compression, payload_bytes, payload, clock_offset_ns, clock_bound_ns, received_ns - first_ns + coalesce(clock_offset_ns, 0) FROM frames WHERE session_id = $session AND traces > 0 AND {where}").With("$session", _session);

    private IEnumerable<StoredHops> Read(SqliteCommand ask, TraceQuery search)
    {
        using SqliteCommand mine = ask;
        using SqliteDataReader row = mine.ExecuteReader();
        while (row.Read())
        {
            HopBatch batch = DataFrame.UnpackHops(new Data
            {
                Hash = (ulong)row.GetInt64(4),
                Compression = (Data.Types.Compression)row.GetInt32(5),
                PayloadBytes = (uint)row.GetInt64(6),
                Payload = UnsafeByteOperations.UnsafeWrap(row.GetFieldValue<byte[]>(7)),
            });
            HashSet<int>? matches = search is { Parts.Count: 0, Values.Count: 0 } ? null : Matches(row.GetInt64(0), search);
            yield return new StoredHops(row.GetString(1), (ulong)row.GetInt64(2), (ulong)row.GetInt64(3), row.IsDBNull(8) ? null : row.GetInt64(8), row.IsDBNull(9) ? null : row.GetInt64(9) + ClockEstimate.DriftNs(row.GetInt64(10)), batch, matches);
        }
    }
}
