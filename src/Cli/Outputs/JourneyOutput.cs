using NftCluster.Cli.Views;
using NftCluster.Messages;
using NftCluster.Node.Sessions;

namespace NftCluster.Cli.Outputs;

/// <summary>Closed traces as readable journeys on the terminal, those that pass the display filter.</summary>
internal sealed class JourneyOutput(TerminalWriter terminal, string place, FilterTally tally) : ITraceOutput
{
    private readonly JourneyView _view = new(terminal, place);

    public void Write(TraceRecord trace)
    {
        if (tally.Matches(trace))
        {
            _view.Render(trace);
        }
    }

    public void Flush() => terminal.Flush();

    public void Complete(SessionRecord session, StatisticsRecord statistics) => terminal.Flush();

    public void Dispose()
    {
        // The terminal is the command's.
    }
}
