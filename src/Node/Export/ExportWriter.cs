using NftCluster.Messages;

namespace NftCluster.Node.Export;

/// <summary>
/// Streams one export to disk in flat memory: traces go out as they close, session and statistics are filled into
/// room kept at the head, and only a complete and synced file gets the final name.
/// </summary>
/// <remarks>Owns the partial file and its buffer; one thread at a time. Dispose without Complete leaves nothing behind.</remarks>
internal sealed class ExportWriter : IDisposable
{
    private const int FlushAt = 1 << 20;

    private readonly string _directory;
    private readonly string _stem;
    private readonly int _room;
    private readonly TraceBuffer _buffer = new(FlushAt + (FlushAt / 4));
    private string _partial;
    private FileStream? _file;

    private ExportWriter(string directory, string stem, int room)
    {
        _directory = directory;
        _stem = stem;
        _room = room;
        _partial = Path.Combine(directory, ExportNames.Partial(stem));
        _file = CreatePartial(_partial);
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
            _file.Flush(flushToDisk: true);
            _file.Dispose();
            final = Publish();
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

    /// <summary>No sharing: the lock that comes with it tells other instances' sweeps that this file is alive.</summary>
    private static FileStream CreatePartial(string path) =>
        new(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, bufferSize: 0);

    private void Drain()
    {
        _file!.Write(_buffer.Bytes);
        _buffer.Clear();
    }

    private void FillHead(byte[] head)
    {
        if (head.Length > _room)
        {
            Rewrite(head);
            return;
        }

        _file!.Position = 0;
        _file.Write(head);
    }

    /// <summary>The rare way: the head outgrew its room, so head and traces are copied into a second partial file.</summary>
    private void Rewrite(byte[] head)
    {
        string first = _partial;
        FileStream from = _file!;
        _partial = Path.Combine(_directory, ExportNames.Partial(_stem));
        _file = null;
        try
        {
            _file = CreatePartial(_partial);
            _file.Write(head);
            from.Position = _room;
            from.CopyTo(_file, FlushAt);
        }
        finally
        {
            from.Dispose();
            File.Delete(first);
        }
    }

    private string Publish()
    {
        for (int attempt = 1; ; attempt++)
        {
            string final = Path.Combine(_directory, ExportNames.Final(_stem, attempt));
            try
            {
                File.Move(_partial, final, overwrite: false);
                return final;
            }
            catch (IOException) when (File.Exists(final))
            {
                // The name is taken by an earlier export of the same second and session: the next one is tried.
            }
        }
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
        if (_file is null)
        {
            return;
        }

        _file.Dispose();
        _file = null;
        try
        {
            File.Delete(_partial);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The directory is gone or read-only by now: the next run's sweep takes it.
        }
    }
}
