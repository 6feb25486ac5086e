using NftCluster.Messages;

namespace NftCluster.Node.Export;

/// <summary>
/// Streams one export to disk in flat memory: traces go out as they close, session and statistics are filled into
/// room kept at the head, and only a complete and synced file gets the final name.
/// </summary>
/// <remarks>Owns the file and its buffer; one thread at a time. Dispose without Complete leaves nothing behind.</remarks>
internal sealed class ExportWriter : IDisposable
{
    private const int FlushAt = 1 << 20;

    private readonly string _directory;
    private readonly string _stem;
    private readonly int _room;
    private readonly TraceBuffer _buffer = new(FlushAt + (FlushAt / 4));
    private ExportFile? _file;

    private ExportWriter(string directory, string stem, int room)
    {
        _directory = directory;
        _stem = stem;
        _room = room;
        _file = ExportFile.Create(directory, stem);
    }

    public long TraceCount { get; private set; }

    /// <summary>Creates the directory where it is missing and removes leftovers of killed writers from it.</summary>
    public static ExportWriter Create(string directory, SessionRecord session, int room = ExportHead.DefaultRoom)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(room, 1);
        string stem = ExportNames.Stem(session);
        string full = Path.GetFullPath(directory);
        try
        {
            Directory.CreateDirectory(full);
            LeftoverSweep.Run(full);
            var writer = new ExportWriter(full, stem, room);
            writer._buffer.Add(ExportHead.Blank(room));
            writer._buffer.Add("\"traces\":["u8);
            return writer;
        }
        catch (Exception e) when (ExportException.IsExpected(e))
        {
            throw ExportException.Writing(full, e);
        }
    }

    public void Append(TraceRecord trace)
    {
        ObjectDisposedException.ThrowIf(_file is null, this);
        _buffer.Add(TraceCount == 0 ? "\n"u8 : ",\n"u8);
        _buffer.Add(trace);
        TraceCount++;
        if (_buffer.Length >= FlushAt)
        {
            Guarded(Drain);
        }
    }

    /// <summary>Ends the file and gives it its final name, which is returned. The number of exported packets is the writer's own.</summary>
    public string Complete(SessionRecord session, StatisticsRecord statistics)
    {
        ObjectDisposedException.ThrowIf(_file is null, this);
        string final = "";
        Guarded(() =>
        {
            _buffer.Add("\n]}\n"u8);
            Drain();
            FillHead(ExportHead.Render(session, statistics with { ExportedPackets = TraceCount }, _room));
            _file.Stream.Flush(flushToDisk: true);
            final = _file.Publish();
            _file.Dispose();
            DirectorySync.Flush(_directory);
        });
        _file = null;
        return final;
    }

    public void Dispose()
    {
        Abandon();
        _buffer.Dispose();
    }

    private void Drain()
    {
        _file!.Stream.Write(_buffer.Bytes);
        _buffer.Clear();
    }

    private void FillHead(byte[] head)
    {
        if (head.Length > _room)
        {
            Rewrite(head);
            return;
        }

        _file!.Stream.Position = 0;
        _file.Stream.Write(head);
    }

    /// <summary>The rare way: the head outgrew its room, so head and traces are copied into a second file.</summary>
    private void Rewrite(byte[] head)
    {
        using ExportFile first = _file!;
        _file = null;
        _file = ExportFile.Create(_directory, _stem);
        _file.Stream.Write(head);
        first.Stream.Position = _room;
        first.Stream.CopyTo(_file.Stream, FlushAt);
    }

    private void Guarded(Action step)
    {
        try
        {
            step();
        }
        catch (Exception e) when (ExportException.IsExpected(e))
        {
            Abandon();
            throw ExportException.Writing(_directory, e);
        }
    }

    private void Abandon()
    {
        _file?.Dispose();
        _file = null;
    }
}
