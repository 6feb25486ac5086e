using NftCluster.Cli.Views;
using NftCluster.Messages;
using NftCluster.Node.Export;
using NftCluster.Node.Sessions;

namespace NftCluster.Cli.Outputs;

/// <summary>Closed traces as readable journeys on the terminal, those that pass the display filter; says when nobody reads any more.</summary>
internal sealed class JourneyOutput(TerminalWriter terminal, string place, FilterTally tally, Action onReaderGone) : ITraceOutput
{
    private readonly JourneyView _view = new(terminal, place);
    private bool _readerGone;

    public void Write(TraceRecord trace)
    {
        if (tally.Matches(trace))
        {
            Guarded(() => _view.Render(trace));
        }
    }

    public void Flush() => Guarded(terminal.Flush);

    public void Complete(SessionRecord session, StatisticsRecord statistics) => Flush();

    public void Dispose()
    {
        // The terminal is the command's.
    }

    private void Guarded(Action step)
    {
        if (_readerGone)
        {
            return;
        }
        try
        {
            step();
        }
        catch (IOException e) when (LineWriter.IsReaderGone(e))
        {
            // `trace … | head`: whoever reads has seen enough.
            _readerGone = true;
            onReaderGone();
        }
        catch (IOException e)
        {
            throw ExportException.StandardOutput(e);
        }
    }
}
