using NftCluster.Cli.Views;
using NftCluster.Messages;
using NftCluster.Node.Export;
using NftCluster.Node.Sessions;

namespace NftCluster.Cli.Outputs;

/// <summary>Closed traces as JSON lines; says when nobody reads any more.</summary>
internal sealed class LineOutput(Stream stream, FilterTally tally, Action onReaderGone) : ITraceOutput
{
    private readonly LineWriter _lines = new(stream);

    public void Write(TraceRecord trace)
    {
        if (tally.Matches(trace))
        {
            _lines.Append(trace);
        }
    }

    public void Flush()
    {
        _lines.Flush();
        if (_lines.ReaderGone)
        {
            onReaderGone();
        }
    }

    public void Complete(SessionRecord session, StatisticsRecord statistics) => _lines.Flush();

    public void Dispose() => _lines.Dispose();
}
