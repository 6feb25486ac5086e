namespace NftCluster.Messages.Link;

/// <summary>Packet traces between their public record and the link's batch, both ways without loss.</summary>
public static class TraceBatchCodec
{
    /// <summary>
    /// Takes records as nodes make them: times and addresses in the one form that the records' comments name, last_seen = first_seen + duration,
    /// an event's time = first_seen + its offset. Throws <see cref="InvalidDataException"/> for others: they would not come back the same.
    /// </summary>
    public static TraceBatch Encode(string sessionId, IReadOnlyList<TraceRecord> traces)
    {
        ArgumentNullException.ThrowIfNull(traces);
        TraceBatchEncoder encoder = new(sessionId);
        foreach (TraceRecord trace in traces)
        {
            encoder.Add(trace);
        }
        return encoder.Batch;
    }

    /// <summary>Throws <see cref="InvalidDataException"/> when the batch refers to what is not in it.</summary>
    public static IEnumerable<TraceRecord> Decode(TraceBatch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        TraceDecoder decoder = new(batch);
        return batch.Trace.Select(decoder.Decode);
    }
}
