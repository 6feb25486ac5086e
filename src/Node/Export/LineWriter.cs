using NftCluster.Messages;

namespace NftCluster.Node.Export;

/// <summary>Writes closed traces as one JSON line each, shaped as in the export; a reader that has gone (EPIPE) ends it quietly.</summary>
/// <remarks>Lines stay in the buffer until <see cref="Flush"/>, which a live caller does at the end of each batch.</remarks>
internal sealed class LineWriter(Stream output) : IDisposable
{
    private const int FlushAt = 64 * 1024;

    private readonly TraceBuffer _buffer = new(2 * FlushAt);

    /// <summary>True once nobody reads any more: the caller may stop.</summary>
    public bool ReaderGone { get; private set; }

    public void Append(TraceRecord trace)
    {
        if (ReaderGone)
        {
            return;
        }

        _buffer.Add(trace);
        _buffer.Add("\n"u8);
        if (_buffer.Length >= FlushAt)
        {
            Flush();
        }
    }

    public void Flush()
    {
        if (ReaderGone || _buffer.Length == 0)
        {
            return;
        }

        try
        {
            output.Write(_buffer.Bytes);
            output.Flush();
            _buffer.Clear();
        }
        catch (IOException e) when (IsReaderGone(e))
        {
            ReaderGone = true;
            _buffer.Clear();
        }
        catch (IOException e)
        {
            throw ExportException.StandardOutput(e);
        }
    }

    /// <summary>Gone, or there and no longer waited for.</summary>
    public static bool IsReaderGone(IOException e) => ExportException.Errno(e) is StandardOutputStream.BrokenPipe or StandardOutputStream.NobodyReads;

    /// <summary>The stream is the caller's.</summary>
    public void Dispose() => _buffer.Dispose();
}
