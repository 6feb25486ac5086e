using System.Text.Json;
using NftCluster.Messages;

namespace NftCluster.Node.Export;

/// <summary>Streams an export back, one trace at a time: memory stays flat whatever the file's size. Unknown fields are ignored.</summary>
/// <remarks>Session and statistics are known from the start in files of <see cref="ExportWriter"/>, at the latest when the traces are through.</remarks>
internal sealed class ExportReader : IDisposable
{
    /// <summary>Null where a value must be is as broken as a missing field.</summary>
    private static readonly TraceJson _strict = new(new JsonSerializerOptions(TraceJson.Default.Options) { RespectNullableAnnotations = true });

    private readonly string _path;
    private readonly JsonWindow _window;
    private bool _inTraces;
    private long _traces;

    private ExportReader(string path, Stream stream)
    {
        _path = path;
        _window = new JsonWindow(stream);
    }

    public SessionRecord? Session { get; private set; }
    public StatisticsRecord? Statistics { get; private set; }

    public static ExportReader Open(string path)
    {
        if (Directory.Exists(path))
        {
            throw new ExportException($"{path} is a directory: name one export file in it (trace_….json)");
        }

        Stream stream;
        try
        {
            stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0, FileOptions.SequentialScan);
        }
        catch (Exception e) when (ExportException.IsExpected(e))
        {
            throw ExportException.Reading(path, e);
        }

        var reader = new ExportReader(path, stream);
        try
        {
            reader.Begin();
            return reader;
        }
        catch (ExportException)
        {
            reader.Dispose();
            throw;
        }
    }

    /// <summary>Once only: the file is read as it is enumerated.</summary>
    public IEnumerable<TraceRecord> ReadTraces()
    {
        while (_inTraces && Checked(NextTrace) is { } trace)
        {
            yield return trace;
        }
    }

    public void Dispose() => _window.Dispose();

    private void Begin() => Checked(() =>
    {
        _window.SkipByteOrderMark();
        if (_window.NextToken(out _) != JsonTokenType.StartObject)
        {
            throw NotAnExport("it holds no JSON object");
        }

        ReadFields();
        return true;
    });

    /// <summary>Up to the traces' first element, or to the end of the file.</summary>
    private void ReadFields()
    {
        while (true)
        {
            JsonTokenType token = _window.NextToken(out string? name);
            if (token != JsonTokenType.PropertyName)
            {
                End(token);
                return;
            }

            switch (name)
            {
                case "session":
                    _window.TryNextValue(_strict.SessionRecord, out SessionRecord? session);
                    Session = session;
                    break;
                case "statistics":
                    _window.TryNextValue(_strict.StatisticsRecord, out StatisticsRecord? statistics);
                    Statistics = statistics;
                    break;
                case "traces":
                    _inTraces = _window.NextToken(out _) == JsonTokenType.StartArray ? true : throw NotAnExport("its traces are no list");
                    return;
                default:
                    _window.SkipValue();
                    break;
            }
        }
    }

    private void End(JsonTokenType token)
    {
        if (token == JsonTokenType.None)
        {
            throw new JsonWindowException("ends too early", _window.Position);
        }

        if (Session is null || Statistics is null)
        {
            throw NotAnExport("it has no session or no statistics");
        }

        if (_window.NextToken(out _) != JsonTokenType.None)
        {
            throw new JsonWindowException("goes on after its end", _window.Position);
        }
    }

    private TraceRecord? NextTrace()
    {
        long position = _window.Position;
        if (!_window.TryNextValue(_strict.TraceRecord, out TraceRecord? trace))
        {
            _inTraces = false;
            ReadFields();
            return null;
        }

        if (trace is null || trace.Events.Contains(null!) || trace.NftEvents.Contains(null!) || trace.FunctionsCalled.Any(name => name is null))
        {
            throw new JsonWindowException("has null where a record must be", position);
        }

        _traces++;
        return trace;
    }

    private T Checked<T>(Func<T> step)
    {
        try
        {
            return step();
        }
        catch (JsonWindowException e)
        {
            string after = _inTraces || _traces > 0 ? $"after {_traces:N0} good traces" : "in its head";
            throw new ExportException($"{_path} is broken at byte {e.Position}, {after}: {e.Message}; export or copy it again", e);
        }
        catch (IOException e)
        {
            throw ExportException.Reading(_path, e);
        }
    }

    private ExportException NotAnExport(string why) => new($"{_path} is not an NftCluster export: {why}; give a file written by 'nftcluster trace --export'");
}
