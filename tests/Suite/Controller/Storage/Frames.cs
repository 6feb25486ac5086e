using Google.Protobuf;
using NftCluster.Controller.Storage;
using NftCluster.Messages;
using NftCluster.Messages.Link;
using NftCluster.Tests.Node.Export;

namespace NftCluster.Tests.Controller.Storage;

/// <summary>Frames as nodes send them.</summary>
internal static class Frames
{
    public const ulong Epoch = 0x9e3779b97f4a7c15; // with the highest bit: SQLite's integers are signed

    public static readonly DateTimeOffset Received = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    public static IngestFrame Of(string node, ulong sequence, Payload payload, DateTimeOffset? received = null)
    {
        PackedPayload packed = DataFrame.Pack(payload);
        Data data = new()
        {
            Epoch = Epoch,
            Sequence = sequence,
            Compression = packed.Compression,
            PayloadBytes = (uint)packed.PayloadBytes,
            Hash = packed.Hash,
            Payload = ByteString.CopyFrom(packed.Bytes),
        };
        return new IngestFrame(node, data, payload, received ?? Received);
    }

    public static IngestFrame Traces(string node, ulong sequence, params TraceRecord[] traces) => Of(node, sequence, Payload(traces));

    public static Payload Payload(params TraceRecord[] traces) => new() { Traces = TraceBatchCodec.Encode("s1", traces) };

    /// <summary>A trace of its own: number n stands in its key and its source port.</summary>
    public static TraceRecord Numbered(int n)
    {
        TraceRecord trace = n % 5 == 0 ? Samples.Dropped() : Samples.Forwarded();
        return trace with { Key = $"0xffff8881/4026532281/{n}", SrcPort = 10_000 + n, In = trace.In! with { SrcPort = 10_000 + n } };
    }
}
