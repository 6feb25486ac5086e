using NftCluster.Actors;
using NftCluster.Messages;
using NftCluster.Node.Export;
using NftCluster.Node.Pipeline;

namespace NftCluster.Node.Sessions;

/// <summary>What the actor that writes closed traces is told.</summary>
internal abstract record OutputMessage;

/// <summary>Closed traces; they go back to their pool afterwards.</summary>
internal sealed record TracesToWrite(PacketTrace[] Traces) : OutputMessage;

/// <summary>Nothing more will come: end every output with these, then answer with an error or null.</summary>
internal sealed record CompleteOutputs(SessionRecord Session, StatisticsRecord Statistics) : OutputMessage;

/// <summary>Turns closed traces into records and gives them to the session's outputs, away from the actor that assembles them.</summary>
internal sealed class OutputActor(IReadOnlyList<ITraceOutput> outputs, TraceRecordFactory records, TracePool pool, ActorRef<SessionMessage> session) : Actor<OutputMessage>
{
    private string? _failure;

    protected override ValueTask ReceiveAsync(OutputMessage message)
    {
        switch (message)
        {
            case TracesToWrite { Traces: var traces }:
                Guarded(() => Write(traces));
                pool.Return(traces);
                break;
            case CompleteOutputs complete:
                Guarded(() =>
                {
                    foreach (ITraceOutput output in outputs)
                    {
                        output.Complete(complete.Session, complete.Statistics);
                    }
                });
                session.Tell(new OutputsCompleted(_failure));
                break;
        }
        return default;
    }

    protected override ValueTask PostStopAsync()
    {
        foreach (ITraceOutput output in outputs)
        {
            output.Dispose();
        }
        return default;
    }

    private void Write(PacketTrace[] traces)
    {
        foreach (PacketTrace trace in traces)
        {
            TraceRecord record = records.Make(trace);
            foreach (ITraceOutput output in outputs)
            {
                output.Write(record);
            }
        }
        foreach (ITraceOutput output in outputs)
        {
            output.Flush();
        }
    }

    /// <summary>An output that cannot write (a full disk) fails the session once; what comes later is only returned to the pool.</summary>
    private void Guarded(Action step)
    {
        if (_failure is not null)
        {
            return;
        }
        try
        {
            step();
        }
        catch (ExportException failure)
        {
            _failure = failure.Message;
            session.Tell(new OutputFailed(failure.Message));
        }
    }
}
