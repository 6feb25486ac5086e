using System.Buffers;
using System.IO.Compression;
using System.IO.Hashing;
using Google.Protobuf;

namespace NftCluster.Messages.Link;

/// <summary>A payload packed for the wire and the spool: what it hashes to must never change once it has a number.</summary>
public readonly record struct PackedPayload(Data.Types.Compression Compression, int PayloadBytes, ulong Hash, byte[] Bytes);

/// <summary>Between a payload and the data frame that carries it.</summary>
public static class DataFrame
{
    /// <summary>Before compression. A node makes batches of some 100 kB; more than this is no node's.</summary>
    public const int MostPayloadBytes = 8 << 20;

    /// <summary>Quality 1: a tenth of the bytes at some 150 MB/s; more of it costs the node more than the wire gains.</summary>
    private const int Quality = 1;
    private const int WindowBits = 20;
    private const int WorthCompressing = 128;

    private static readonly MessageParser<HopPayload> _hops = HopPayload.Parser.WithDiscardUnknownFields(true);

    public static PackedPayload Pack(Payload payload)
    {
        ArgumentNullException.ThrowIfNull(payload);
        byte[] plain = payload.ToByteArray();
        if (plain.Length >= WorthCompressing)
        {
            byte[] packed = new byte[BrotliEncoder.GetMaxCompressedLength(plain.Length)];
            if (BrotliEncoder.TryCompress(plain, packed, out int length, Quality, WindowBits) && length < plain.Length)
            {
                Array.Resize(ref packed, length);
                return new PackedPayload(Data.Types.Compression.Brotli, plain.Length, XxHash64.HashToUInt64(packed), packed);
            }
        }
        return new PackedPayload(Data.Types.Compression.None, plain.Length, XxHash64.HashToUInt64(plain), plain);
    }

    /// <summary>Throws <see cref="InvalidDataException"/> for whatever is not what <see cref="Pack"/> makes: damaged, too large, unknown.</summary>
    public static Payload Unpack(Data data)
    {
        Payload payload = Read(data, static plain => Payload.Parser.ParseFrom(plain.AsSpan()));
        return payload.KindCase != Payload.KindOneofCase.None ? payload : throw new InvalidDataException("a payload of a kind that this version does not know");
    }

    /// <summary>The batch with only these of its traces, in the order of the indexes: the others are passed over unread.</summary>
    public static TraceBatch UnpackTraces(Data data, IReadOnlyList<int> indexes)
    {
        ArgumentNullException.ThrowIfNull(indexes);
        return Read(data, plain => TraceBatchPicker.Pick(plain, indexes));
    }

    /// <summary>Only what joining hosts needs of the traces; an empty batch where the payload holds none.</summary>
    public static HopBatch UnpackHops(Data data) => Read(data, static plain => _hops.ParseFrom(plain.AsSpan()).Traces ?? new HopBatch());

    /// <summary>The plain bytes lie in a rented array, only for as long as they are read: they are large, and come a hundred times a second.</summary>
    private static T Read<T>(Data data, Func<ArraySegment<byte>, T> parse)
    {
        ArgumentNullException.ThrowIfNull(data);
        if (data.PayloadBytes > MostPayloadBytes)
        {
            throw new InvalidDataException($"a payload of {data.PayloadBytes} bytes: at most {MostPayloadBytes}");
        }
        if (XxHash64.HashToUInt64(data.Payload.Span) != data.Hash)
        {
            throw new InvalidDataException("the payload is not what its hash says");
        }
        int length = (int)data.PayloadBytes;
        byte[] rented = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            Inflate(data, rented.AsSpan(0, length));
            return parse(new ArraySegment<byte>(rented, 0, length));
        }
        catch (InvalidProtocolBufferException malformed)
        {
            throw new InvalidDataException($"a malformed payload: {malformed.Message}", malformed);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    private static void Inflate(Data data, Span<byte> plain)
    {
        switch (data.Compression)
        {
            case Data.Types.Compression.None when data.Payload.Length == plain.Length:
                data.Payload.Span.CopyTo(plain);
                return;
            case Data.Types.Compression.Brotli:
                if (BrotliDecoder.TryDecompress(data.Payload.Span, plain, out int length) && length == plain.Length)
                {
                    return;
                }
                throw new InvalidDataException("a payload that does not decompress to its stated size");
            default:
                throw new InvalidDataException($"a payload compressed by {data.Compression}, or not of its stated size");
        }
    }
}
