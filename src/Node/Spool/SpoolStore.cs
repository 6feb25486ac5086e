using System.Security.Cryptography;
using Microsoft.Data.Sqlite;
using NftCluster.Messages.Link;

namespace NftCluster.Node.Spool;

/// <summary>
/// What the controller has not acknowledged yet, in order. A frame gets its number (epoch, sequence) when it is taken for
/// sending, and from then on keeps it with the same bytes until it is acknowledged; only frames without a number may be dropped, so a
/// sequence has no holes and never says two things. Plain state over one file; one owner.
/// </summary>
internal sealed class SpoolStore : IDisposable
{
    private readonly SpoolDatabase _database;
    private readonly SpoolOptions _options;
    private readonly TimeProvider _time;
    private long _bytes;
    private long _frames;
    private long _droppedTraces;
    private long _droppedFrames;
    private ulong _sequence;

    public SpoolStore(SpoolOptions options, TimeProvider time)
    {
        _options = options;
        _time = time;
        _database = new SpoolDatabase(options);
        Epoch = NewEpoch();
        CountAgain();
    }

    /// <summary>Random: nobody can have used its numbers before.</summary>
    public ulong Epoch { get; private set; }

    public SpoolLevelNow Level => new(_bytes, _frames, _droppedTraces, _droppedFrames, _database.Number("SELECT at_ns FROM frames ORDER BY id LIMIT 1"));

    private long NowNs => Messages.TraceTime.UnixNs(_time.GetUtcNow());

    /// <summary>Keeps all of them and <paramref name="facts"/>, or none: throws <see cref="SpoolException"/> when the disk takes no more.</summary>
    public void Append(IReadOnlyList<SpoolEntry> entries, params IReadOnlyList<(string Name, byte[] Value)> facts) => Guarded(() => _database.InTransaction(() =>
    {
        foreach (SpoolEntry entry in entries)
        {
            if (entry.Kind == SpoolKind.Report)
            {
                ForgetReports(entry.Session);
            }
            Insert(entry);
        }
        foreach ((string name, byte[] value) in facts)
        {
            _ = value.Length == 0 ? _database.Run("DELETE FROM facts WHERE name = $1", name) : _database.Run("INSERT OR REPLACE INTO facts(name, value) VALUES($1, $2)", name, value);
        }
        DropBeyondBounds();
    }));

    public byte[]? Fact(string name) => _database.Bytes("SELECT value FROM facts WHERE name = $1", name);

    public IReadOnlyList<(string Name, byte[] Value)> Facts(string prefix)
    {
        List<(string, byte[])> facts = [];
        using SqliteDataReader rows = _database.Read("SELECT name, value FROM facts WHERE substr(name, 1, length($1)) = $1", prefix);
        while (rows.Read())
        {
            facts.Add((rows.GetString(0), rows.GetFieldValue<byte[]>(1)));
        }
        return facts;
    }

    /// <summary>The next frames after <paramref name="afterId"/> in order, numbered: at least one if there is any, no more bytes than said if more than one.</summary>
    public IReadOnlyList<SpoolFrame> Take(long afterId, long mostBytes)
    {
        List<SpoolFrame> frames = [];
        Guarded(() => _database.InTransaction(() =>
        {
            foreach (Row row in Choose(afterId, mostBytes))
            {
                Row numbered = row.Epoch is null ? Number(row) : row;
                frames.Add(new SpoolFrame(row.Id, (ulong)numbered.Epoch!.Value, (ulong)numbered.Sequence, ReadPayload(row.Id)));
            }
        }));
        return frames;
    }

    /// <summary>All frames of that epoch up to that sequence are the controller's now.</summary>
    public void Forget(IEnumerable<(ulong Epoch, ulong Sequence)> committed) => Guarded(() => _database.InTransaction(() =>
    {
        foreach ((ulong epoch, ulong sequence) in committed)
        {
            _database.Run("DELETE FROM payloads WHERE id IN (SELECT id FROM frames WHERE epoch = $1 AND sequence <= $2)", (long)epoch, (long)sequence);
            using (SqliteDataReader sums = _database.Read("SELECT count(*), coalesce(sum(bytes), 0) FROM frames WHERE epoch = $1 AND sequence <= $2", (long)epoch, (long)sequence))
            {
                if (sums.Read())
                {
                    _frames -= sums.GetInt64(0);
                    _bytes -= sums.GetInt64(1);
                }
            }
            _database.Run("DELETE FROM frames WHERE epoch = $1 AND sequence <= $2", (long)epoch, (long)sequence);
        }
    }));

    /// <summary>The controller has other content under our numbers (this host was rolled back): what is not acknowledged gets new ones.</summary>
    public void BeginEpoch() => Guarded(() =>
    {
        _database.InTransaction(() => _database.Run("UPDATE frames SET epoch = NULL, sequence = NULL"));
        Epoch = NewEpoch();
        _sequence = 0;
    });

    /// <summary>Drops what is too old; called now and then, so that age counts while nothing comes, too.</summary>
    public void Prune() => Guarded(() => _database.InTransaction(DropBeyondBounds));

    public void Dispose() => _database.Dispose();

    private static ulong NewEpoch()
    {
        Span<byte> bytes = stackalloc byte[8];
        RandomNumberGenerator.Fill(bytes);
        return BitConverter.ToUInt64(bytes);
    }

    private void Insert(SpoolEntry entry)
    {
        PackedPayload payload = entry.Payload;
        long bytes = payload.Bytes.Length;
        _database.Run(
            "INSERT INTO frames(kind, session, at_ns, from_ns, to_ns, things, bytes) VALUES($1, $2, $3, $4, $5, $6, $7)",
            (long)entry.Kind, entry.Session, NowNs, entry.FromNs, entry.ToNs, entry.Things, bytes);
        InsertPayload(_database.Number("SELECT last_insert_rowid()"), payload);
        _frames++;
        _bytes += bytes;
    }

    private void InsertPayload(long id, PackedPayload payload) => _database.Run(
        "INSERT INTO payloads(id, compression, plain_bytes, hash, payload) VALUES($1, $2, $3, $4, $5)",
        id, (long)payload.Compression, (long)payload.PayloadBytes, (long)payload.Hash, payload.Bytes);

    private PackedPayload ReadPayload(long id)
    {
        using SqliteDataReader row = _database.Read("SELECT compression, plain_bytes, hash, payload FROM payloads WHERE id = $1", id);
        return row.Read()
            ? new PackedPayload((Data.Types.Compression)row.GetInt64(0), (int)row.GetInt64(1), (ulong)row.GetInt64(2), row.GetFieldValue<byte[]>(3))
            : throw new SpoolException($"the spool {_options.File} is damaged: a frame has no payload");
    }

    private List<Row> Choose(long afterId, long mostBytes)
    {
        List<Row> rows = [];
        long bytes = 0;
        using SqliteDataReader reader = _database.Read("SELECT id, epoch, sequence, kind, session, from_ns, to_ns, things, bytes FROM frames WHERE id > $1 ORDER BY id LIMIT 256", afterId);
        while (reader.Read())
        {
            bytes += reader.GetInt64(8);
            if (rows.Count > 0 && bytes > mostBytes)
            {
                break;
            }
            rows.Add(new Row(reader.GetInt64(0), reader.IsDBNull(1) ? null : reader.GetInt64(1), reader.IsDBNull(2) ? 0 : reader.GetInt64(2),
                (SpoolKind)reader.GetInt64(3), reader.GetString(4), reader.GetInt64(5), reader.GetInt64(6), reader.GetInt64(7)));
        }
        return rows;
    }

    private Row Number(Row row)
    {
        if (row.Kind == SpoolKind.Dropped && _database.Number("SELECT count(*) FROM payloads WHERE id = $1", row.Id) == 0)
        {
            PackedPayload loss = DroppedTraces.Payload(row.Session, row.Things, row.FromNs, row.ToNs);
            InsertPayload(row.Id, loss);
            _database.Run("UPDATE frames SET bytes = $2 WHERE id = $1", row.Id, (long)loss.Bytes.Length);
            _bytes += loss.Bytes.Length;
        }
        _sequence++;
        _database.Run("UPDATE frames SET epoch = $2, sequence = $3 WHERE id = $1", row.Id, (long)Epoch, (long)_sequence);
        return row with { Epoch = (long)Epoch, Sequence = (long)_sequence };
    }

    private void ForgetReports(string session)
    {
        foreach (long id in Ids("SELECT id, bytes FROM frames WHERE epoch IS NULL AND kind = 3 AND session = $1", session))
        {
            _database.Run("DELETE FROM payloads WHERE id = $1", id);
            _database.Run("DELETE FROM frames WHERE id = $1", id);
        }
    }

    /// <summary>Takes the rows out of the sums as it lists them.</summary>
    private List<long> Ids(string text, object value)
    {
        List<long> ids = [];
        using SqliteDataReader reader = _database.Read(text, value);
        while (reader.Read())
        {
            ids.Add(reader.GetInt64(0));
            _frames--;
            _bytes -= reader.GetInt64(1);
        }
        return ids;
    }

    private void DropBeyondBounds()
    {
        long oldestNs = NowNs - (long)_options.MostAge.TotalMilliseconds * 1_000_000;
        while (OldestTraces() is { } oldest && (_bytes > _options.MostBytes || oldest.AtNs < oldestNs))
        {
            Drop(oldest);
        }
    }

    private (long Id, long AtNs, string Session, long FromNs, long ToNs, long Things, long Bytes)? OldestTraces()
    {
        using SqliteDataReader row = _database.Read("SELECT id, at_ns, session, from_ns, to_ns, things, bytes FROM frames WHERE epoch IS NULL AND kind = 1 ORDER BY id LIMIT 1");
        return row.Read() ? (row.GetInt64(0), row.GetInt64(1), row.GetString(2), row.GetInt64(3), row.GetInt64(4), row.GetInt64(5), row.GetInt64(6)) : null;
    }

    /// <summary>One record per session stands for all that went since the last one was sent: its place is that of the first.</summary>
    private void Drop((long Id, long AtNs, string Session, long FromNs, long ToNs, long Things, long Bytes) oldest)
    {
        _database.Run("DELETE FROM payloads WHERE id = $1", oldest.Id);
        _bytes -= oldest.Bytes;
        _droppedFrames++;
        _droppedTraces += oldest.Things;
        int grown = _database.Run(
            "UPDATE frames SET things = things + $2, from_ns = min(from_ns, $3), to_ns = max(to_ns, $4) WHERE epoch IS NULL AND kind = 4 AND session = $1",
            oldest.Session, oldest.Things, oldest.FromNs, oldest.ToNs);
        if (grown > 0)
        {
            _database.Run("DELETE FROM frames WHERE id = $1", oldest.Id);
            _frames--;
        }
        else
        {
            _database.Run("UPDATE frames SET kind = 4, bytes = 0 WHERE id = $1", oldest.Id);
        }
    }

    private void Guarded(Action step)
    {
        (ulong sequence, long droppedTraces, long droppedFrames) = (_sequence, _droppedTraces, _droppedFrames);
        try
        {
            step();
        }
        catch (SqliteException failure)
        {
            // What was rolled back was not numbered, not dropped, and is not in the sums.
            (_sequence, _droppedTraces, _droppedFrames) = (sequence, droppedTraces, droppedFrames);
            CountAgain();
            throw new SpoolException(failure.SqliteErrorCode == 13
                ? $"the disk of the spool {_options.File} is full"
                : $"the spool {_options.File} cannot be written: {failure.Message.ReplaceLineEndings(" ")}", failure);
        }
    }

    private void CountAgain()
    {
        _bytes = _database.Number("SELECT coalesce(sum(bytes), 0) FROM frames");
        _frames = _database.Number("SELECT count(*) FROM frames");
    }

    private sealed record Row(long Id, long? Epoch, long Sequence, SpoolKind Kind, string Session, long FromNs, long ToNs, long Things);
}
