using NftCluster.Cli.Views;
using NftCluster.Messages;
using NftCluster.Node.Sessions;

namespace NftCluster.Cli.Outputs;

/// <summary>Counts verdicts by rule for the summary. Read after the session has ended.</summary>
internal sealed class RuleTallyOutput(FilterTally shown) : ITraceOutput
{
    public RuleTally Rules { get; } = new();

    /// <summary>The display filter may ask for functions.</summary>
    public bool NeedsEvents => !shown.Filter.IsEmpty;

    public void Write(TraceRecord trace)
    {
        if (shown.Filter.Matches(trace))
        {
            Rules.Add(trace);
        }
    }

    public void Flush()
    {
        // Nothing is held back.
    }

    public void Complete(SessionRecord session, StatisticsRecord statistics)
    {
        // The summary is printed when the session has answered.
    }

    public void Dispose()
    {
        // Owns nothing.
    }
}
