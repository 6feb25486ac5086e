using Microsoft.Data.Sqlite;
using NftCluster.Controller.Cluster;
using NftCluster.Messages.Link;

namespace NftCluster.Controller.Storage;

/// <summary>
/// Puts frames into one transaction, each exactly once: a number is taken only behind the one before it, a repeat must have the same
/// hash. For one thread.
/// </summary>
internal sealed class FrameWriter : IDisposable
{
    private readonly SqliteConnection _connection;
    private readonly SegmentSummary _summary = new();
    private readonly Dictionary<string, NodeClock> _clocks = new(StringComparer.Ordinal);
    private readonly SqliteCommand _committed;
    private readonly SqliteCommand _advance;
    private readonly SqliteCommand _hash;
    private readonly SqliteCommand _frame;
    private readonly SqliteCommand _segment;
    private readonly SqliteCommand _filter;
    private readonly SqliteCommand _loss;
    private readonly SqliteCommand _report;

    /// <summary>With <paramref name="mostPages"/> the file may not grow beyond so many pages of 4 KiB; 0 = up to what the disk holds.</summary>
    public FrameWriter(Database database, int mostPages = 0)
    {
        _connection = database.Connect();
        if (mostPages > 0)
        {
            using SqliteCommand limit = _connection.Command($"PRAGMA max_page_count = {mostPages}");
            limit.ExecuteScalar();
        }
        _committed = _connection.Command("SELECT sequence FROM epochs WHERE node_id = $node AND epoch = $epoch");
        _advance = _connection.Command("INSERT INTO epochs (node_id, epoch, sequence) VALUES ($node, $epoch, $sequence) ON CONFLICT (node_id, epoch) DO UPDATE SET sequence = excluded.sequence");
        _hash = _connection.Command("SELECT hash FROM frames WHERE node_id = $node AND epoch = $epoch AND sequence = $sequence");
        _frame = _connection.Command("""
            INSERT INTO frames (node_id, epoch, sequence, hash, session_id, traces, first_ns, last_ns, received_ns, clock_offset_ns, clock_bound_ns, compression, payload_bytes, payload)
            VALUES ($node, $epoch, $sequence, $hash, $session, $traces, $first, $last, $received, $offset, $bound, $compression, $bytes, $payload) RETURNING id
            """);
        _segment = _connection.Command("INSERT INTO segment_summaries (frame_id, columns) VALUES ($frame, $columns)");
        _filter = _connection.Command("INSERT INTO segment_filters (frame_id, bits) VALUES ($frame, $bits)");
        _loss = _connection.Command("INSERT INTO losses (session_id, node_id, stage, kind, count, from_ns, to_ns, text) VALUES ($session, $node, $stage, $kind, $count, $from, $to, $text)");
        _report = _connection.Command("""
            INSERT INTO reports (session_id, node_id, epoch, state, failure_reason, statistics, at_ns) VALUES ($session, $node, $epoch, $state, $failure, $statistics, $at)
            ON CONFLICT (session_id, node_id, epoch) DO UPDATE SET state = excluded.state, failure_reason = excluded.failure_reason, statistics = excluded.statistics, at_ns = excluded.at_ns
            """);
    }

    private SqliteCommand[] Commands => [_committed, _advance, _hash, _frame, _segment, _filter, _loss, _report];

    /// <summary>Of frames that come from here on.</summary>
    public void SetClock(NodeClock clock) => _clocks[clock.NodeId] = clock;

    /// <summary>Throws <see cref="SqliteException"/> when nothing of it is stored.</summary>
    public FramesCommitted Commit(IEnumerable<IngestFrame> frames)
    {
        Dictionary<(string Node, ulong Epoch), ulong> reached = [];
        List<FrameConflict> conflicts = [];
        using SqliteTransaction transaction = _connection.BeginTransaction();
        foreach (SqliteCommand command in Commands)
        {
            command.Transaction = transaction; // they outlive it, and are refused without the one that runs
        }
        foreach (IngestFrame frame in frames)
        {
            (string Node, ulong Epoch) line = (frame.NodeId, frame.Epoch);
            if (!reached.TryGetValue(line, out ulong before))
            {
                before = Committed(frame);
            }
            reached[line] = before;
            if (Refusal(frame, before) is { } text)
            {
                conflicts.Add(new FrameConflict(frame.NodeId, frame.Epoch, frame.Sequence, text));
            }
            else if (frame.Sequence == before + 1)
            {
                Store(frame);
                reached[line] = frame.Sequence;
            }
        }
        foreach (((string node, ulong epoch), ulong sequence) in reached.Where(line => line.Value > 0))
        {
            _advance.With("$node", node).With("$epoch", (long)epoch).With("$sequence", (long)sequence).ExecuteNonQuery();
        }
        transaction.Commit();
        return new FramesCommitted([.. reached.Select(line => new CommittedUpTo(line.Key.Node, line.Key.Epoch, line.Value))], conflicts, null);
    }

    public IReadOnlyList<CommittedUpTo> CommittedOf(string nodeId)
    {
        using SqliteCommand ask = _connection.Command("SELECT epoch, sequence FROM epochs WHERE node_id = $node").With("$node", nodeId);
        using SqliteDataReader rows = ask.ExecuteReader();
        List<CommittedUpTo> committed = [];
        while (rows.Read())
        {
            committed.Add(new CommittedUpTo(nodeId, (ulong)rows.GetInt64(0), (ulong)rows.GetInt64(1)));
        }
        return committed;
    }

    public void Dispose()
    {
        foreach (SqliteCommand command in Commands)
        {
            command.Dispose();
        }
        _connection.Dispose();
    }

    private ulong Committed(IngestFrame frame) =>
        _committed.With("$node", frame.NodeId).With("$epoch", (long)frame.Epoch).ExecuteScalar() is long sequence ? (ulong)sequence : 0;

    /// <summary>Null where the frame is new, or is a true repeat. One that retention has removed is taken for a true repeat.</summary>
    private string? Refusal(IngestFrame frame, ulong before)
    {
        if (frame.Sequence > before + 1)
        {
            return $"sequence {frame.Sequence} leaves a hole: {before} is the last that is stored";
        }
        if (frame.Sequence <= before
            && _hash.With("$node", frame.NodeId).With("$epoch", (long)frame.Epoch).With("$sequence", (long)frame.Sequence).ExecuteScalar() is long stored
            && (ulong)stored != frame.Frame.Hash)
        {
            return $"sequence {frame.Sequence} is stored with other content: was the node's state directory restored or copied?";
        }
        return frame.Payload.Traces is { Trace.Count: > SegmentSummary.MostTraces } batch
            ? $"{batch.Trace.Count} traces in one frame: at most {SegmentSummary.MostTraces}"
            : null;
    }

    private void Store(IngestFrame frame)
    {
        Payload payload = frame.Payload;
        TraceBatch? batch = payload.Traces is { Trace.Count: > 0 } traces ? traces : null;
        long received = TimeNs(frame.ReceivedAt);
        if (batch is not null)
        {
            _summary.Build(batch);
        }
        NodeClock? clock = _clocks.GetValueOrDefault(frame.NodeId);
        object? id = _frame.With("$node", frame.NodeId).With("$epoch", (long)frame.Epoch).With("$sequence", (long)frame.Sequence).With("$hash", (long)frame.Frame.Hash)
            .With("$session", batch?.SessionId ?? "").With("$traces", batch?.Trace.Count ?? 0)
            .With("$first", batch is null ? received : _summary.FirstNs).With("$last", batch is null ? received : _summary.LastNs).With("$received", received)
            .With("$offset", clock?.OffsetNs).With("$bound", clock is null ? null : clock.BoundNs + ClockEstimate.DriftNs(received - clock.AtNs))
            .With("$compression", (int)frame.Frame.Compression).With("$bytes", (long)frame.Frame.PayloadBytes).With("$payload", frame.Compressed.ToArray())
            .ExecuteScalar();
        if (batch is not null)
        {
            _segment.With("$frame", id).With("$columns", _summary.Columns).ExecuteNonQuery();
            _filter.With("$frame", id).With("$bits", _summary.Filter).ExecuteNonQuery();
        }
        foreach (Loss loss in payload.Losses?.Loss ?? [])
        {
            _loss.With("$session", payload.Losses!.SessionId).With("$node", frame.NodeId).With("$stage", loss.Stage).With("$kind", loss.Kind)
                .With("$count", loss.HasCount ? (long)loss.Count : null).With("$from", loss.FromNs).With("$to", loss.ToNs).With("$text", loss.Text).ExecuteNonQuery();
        }
        if (payload.Report is { } report)
        {
            _report.With("$session", report.SessionId).With("$node", frame.NodeId).With("$epoch", (long)frame.Epoch).With("$state", report.State)
                .With("$failure", report.FailureReason).With("$statistics", report.StatisticsJson.ToStringUtf8()).With("$at", report.AtNs).ExecuteNonQuery();
        }
    }

    private static long TimeNs(DateTimeOffset time) => (time - DateTimeOffset.UnixEpoch).Ticks * 100;
}
