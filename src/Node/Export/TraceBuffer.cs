using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using NftCluster.Messages;

namespace NftCluster.Node.Export;

/// <summary>A growing buffer of JSON that is serialized into, written out and used again; its owner drains it.</summary>
internal sealed class TraceBuffer : IDisposable
{
    private readonly ArrayBufferWriter<byte> _bytes;
    private readonly Utf8JsonWriter _json;

    public TraceBuffer(int capacity)
    {
        _bytes = new ArrayBufferWriter<byte>(capacity);
        // Relaxed: the default would write "func+0x5a" as "func\u002B0x5a"; exports are files, never embedded in HTML as they are.
        _json = new Utf8JsonWriter(_bytes, new JsonWriterOptions
        {
            Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
            SkipValidation = true,
        });
    }

    public int Length => _bytes.WrittenCount;
    public ReadOnlySpan<byte> Bytes => _bytes.WrittenSpan;

    public void Add(ReadOnlySpan<byte> text) => _bytes.Write(text);

    public void Add(TraceRecord trace) => Add(trace, TraceJson.Default.TraceRecord);

    public void Add<T>(T value, JsonTypeInfo<T> type)
    {
        _json.Reset();
        JsonSerializer.Serialize(_json, value, type);
        _json.Flush();
    }

    public void Clear() => _bytes.ResetWrittenCount();

    public void Dispose() => _json.Dispose();
}
