using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace NftCluster.Node.Export;

/// <summary>A window over a JSON stream of any length: hands out one token or one whole value at a time and forgets what was read.</summary>
internal sealed class JsonWindow(Stream stream) : IDisposable
{
    private const int MaxValueBytes = 256 * 1024 * 1024;

    private byte[] _buffer = new byte[256 * 1024];
    private int _start;
    private int _end;
    private bool _atEnd;
    private JsonReaderState _state;

    /// <summary>Bytes of the stream before the window.</summary>
    public long Position { get; private set; }

    private ReadOnlySpan<byte> Window => _buffer.AsSpan(_start, _end - _start);

    public void SkipByteOrderMark()
    {
        while (Window.Length < 3 && !_atEnd)
        {
            Fill();
        }

        if (Window.StartsWith("\uFEFF"u8))
        {
            Advance(3);
        }
    }

    /// <summary>The next token with a property's name, None at the end of the stream.</summary>
    public JsonTokenType NextToken(out string? name)
    {
        name = null;
        while (true)
        {
            // Never "final": a token that is cut off is then no token, and what the reader throws is broken, not short.
            var reader = new Utf8JsonReader(Window, isFinalBlock: false, _state);
            if (Read(ref reader))
            {
                name = reader.TokenType == JsonTokenType.PropertyName ? reader.GetString() : null;
                Consume(ref reader);
                return reader.TokenType;
            }

            if (_atEnd)
            {
                return JsonTokenType.None;
            }

            Fill();
        }
    }

    /// <summary>The next whole value; false where an array ends instead.</summary>
    public bool TryNextValue<T>(JsonTypeInfo<T> type, out T? value)
    {
        ReadOnlySpan<byte> json = NextValue(out long position);
        if (json.SequenceEqual("]"u8))
        {
            value = default;
            return false;
        }

        try
        {
            value = JsonSerializer.Deserialize(json, type);
            return true;
        }
        catch (JsonException e)
        {
            long inside = e.LineNumber == 0 ? e.BytePositionInLine ?? 0 : 0;
            throw new JsonWindowException(e.Path is null or "$" ? "does not fit" : $"{e.Path} does not fit", position + inside, e);
        }
    }

    public void SkipValue() => NextValue(out _);

    public void Dispose() => stream.Dispose();

    /// <summary>The bytes of the next value, good until the next call.</summary>
    private ReadOnlySpan<byte> NextValue(out long position)
    {
        while (true)
        {
            var reader = new Utf8JsonReader(Window, isFinalBlock: false, _state);
            if (Read(ref reader))
            {
                int first = (int)reader.TokenStartIndex;
                if (Skip(ref reader))
                {
                    ReadOnlySpan<byte> value = Window[first..(int)reader.BytesConsumed];
                    position = Position + first;
                    Consume(ref reader);
                    return value;
                }
            }

            if (_atEnd)
            {
                throw new JsonWindowException("ends too early", Position + Window.Length);
            }

            Fill();
        }
    }

    private bool Read(ref Utf8JsonReader reader)
    {
        try
        {
            return reader.Read();
        }
        catch (JsonException e)
        {
            throw new JsonWindowException("is no JSON", Position + reader.BytesConsumed, e);
        }
    }

    private bool Skip(ref Utf8JsonReader reader)
    {
        try
        {
            return reader.TrySkip();
        }
        catch (JsonException e)
        {
            throw new JsonWindowException("is no JSON", Position + reader.BytesConsumed, e);
        }
    }

    private void Consume(ref Utf8JsonReader reader)
    {
        _state = reader.CurrentState;
        Advance((int)reader.BytesConsumed);
    }

    private void Advance(int bytes)
    {
        _start += bytes;
        Position += bytes;
    }

    private void Fill()
    {
        if (_start > 0)
        {
            Window.CopyTo(_buffer);
            _end -= _start;
            _start = 0;
        }

        if (_end == _buffer.Length)
        {
            if (_buffer.Length >= MaxValueBytes)
            {
                throw new JsonWindowException($"holds a single value of more than {MaxValueBytes >> 20} MiB", Position);
            }

            Array.Resize(ref _buffer, _buffer.Length * 2);
        }

        int read = stream.Read(_buffer.AsSpan(_end));
        _end += read;
        _atEnd = read == 0;
    }
}

/// <summary>What is wrong with a JSON stream and at which byte.</summary>
internal sealed class JsonWindowException(string what, long position, Exception? inner = null) : Exception(what, inner)
{
    public long Position => position;
}
