using NftCluster.Messages;
using NftCluster.Node.Export;

namespace NftCluster.Node.Sessions;

/// <summary>Outputs that one actor writes to: the first that cannot write (a full disk) is told once, what comes later is left out.</summary>
internal sealed class OutputSet(IReadOnlyList<ITraceOutput> outputs, Action<string> onFailure)
{
    /// <summary>One line that says why; null while all is well.</summary>
    public string? Failure { get; private set; }

    public void Write(TraceRecord[] traces) => Guarded(() =>
    {
        foreach (TraceRecord trace in traces)
        {
            foreach (ITraceOutput output in outputs)
            {
                output.Write(trace);
            }
        }
        foreach (ITraceOutput output in outputs)
        {
            output.Flush();
        }
    });

    public void CaughtUp(long wallNs) => Guarded(() =>
    {
        foreach (ITraceOutput output in outputs)
        {
            output.CaughtUp(wallNs);
        }
    });

    public void Complete(SessionRecord session, StatisticsRecord statistics) => Guarded(() =>
    {
        foreach (ITraceOutput output in outputs)
        {
            output.Complete(session, statistics);
        }
    });

    public void Close()
    {
        foreach (ITraceOutput output in outputs)
        {
            output.Dispose();
        }
    }

    private void Guarded(Action step)
    {
        if (Failure is not null)
        {
            return;
        }
        try
        {
            step();
        }
        catch (ExportException failure)
        {
            Failure = failure.Message;
            onFailure(failure.Message);
        }
    }
}
