using Google.Protobuf;
using Microsoft.Data.Sqlite;
using NftCluster.Messages;
using NftCluster.Messages.Link;

namespace NftCluster.Controller.Storage;

/// <summary>Unpacks segments, and of each only the traces that are wanted.</summary>
internal sealed class SegmentReader : IDisposable
{
    private readonly SqliteCommand _ask;
    private readonly SqliteCommand _columns;

    public SegmentReader(SqliteConnection connection)
    {
        _columns = connection.Command("SELECT columns FROM segment_summaries WHERE frame_id = $id");
        _ask = connection.Command("SELECT node_id, epoch, sequence, hash, compression, payload_bytes, payload FROM frames WHERE id = $id");
    }

    /// <summary>Which trace has which values: <see cref="SegmentSummary"/>.</summary>
    public byte[] Columns(long frame) => _columns.With("$id", frame).ExecuteScalar() as byte[] ?? throw new InvalidDataException($"frame {frame} has no summary");

    /// <summary>In the order of the indexes. Throws <see cref="InvalidDataException"/> when the frame is damaged.</summary>
    public List<StoredTrace> Read(long frame, IReadOnlyList<int> indexes)
    {
        if (indexes.Count == 0)
        {
            return [];
        }
        using SqliteDataReader row = _ask.With("$id", frame).ExecuteReader();
        if (!row.Read())
        {
            return [];
        }
        TraceBatch wanted = DataFrame.UnpackTraces(new Data
        {
            Hash = (ulong)row.GetInt64(3),
            Compression = (Data.Types.Compression)row.GetInt32(4),
            PayloadBytes = (uint)row.GetInt64(5),
            Payload = UnsafeByteOperations.UnsafeWrap(row.GetFieldValue<byte[]>(6)),
        }, indexes);
        (string node, ulong epoch, ulong sequence) = (row.GetString(0), (ulong)row.GetInt64(1), (ulong)row.GetInt64(2));
        return [.. TraceBatchCodec.Decode(wanted).Zip(indexes, (TraceRecord trace, int index) => new StoredTrace(new TraceId(node, epoch, sequence, index), wanted.SessionId, trace))];
    }

    /// <summary>Of these indexes those whose traces have the values, in the same order.</summary>
    public List<int> Only(long frame, IReadOnlyList<int> indexes, IReadOnlyList<ValuePart> values) => [.. Read(frame, indexes).Where(stored => TraceValues.Match(stored.Trace, values)).Select(stored => stored.Id.Index)];

    public void Dispose()
    {
        _ask.Dispose();
        _columns.Dispose();
    }
}
