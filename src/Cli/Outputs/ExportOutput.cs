using NftCluster.Messages;
using NftCluster.Node.Export;
using NftCluster.Node.Sessions;

namespace NftCluster.Cli.Outputs;

/// <summary>Closed traces into the JSON export.</summary>
internal sealed class ExportOutput(string directory, SessionRecord session) : ITraceOutput
{
    private readonly ExportWriter _writer = ExportWriter.Create(directory, session);

    /// <summary>The finished file; null until the session has ended well.</summary>
    public string? Path { get; private set; }

    public long Count => _writer.TraceCount;

    public void Write(TraceRecord trace) => _writer.Append(trace);

    public void Flush()
    {
        // The writer flushes by the megabyte; a half-written export is of no use to anybody.
    }

    public void Complete(SessionRecord session, StatisticsRecord statistics) => Path = _writer.Complete(session, statistics);

    public void Dispose() => _writer.Dispose();
}
