using NftCluster.Actors;
using NftCluster.Messages;

namespace NftCluster.Node.Sessions;

/// <summary>What the actor that writes to a live reader is told.</summary>
internal abstract record LiveMessage;

internal sealed record TracesToShow(TraceRecord[] Traces) : LiveMessage;

/// <summary>Nothing more will come; the session hears <see cref="LiveCompleted"/>.</summary>
internal sealed record CompleteLive(SessionRecord Session, StatisticsRecord Statistics) : LiveMessage;

/// <summary>Writes to outputs whose reader may stand still for as long as it likes: only this actor waits for it.</summary>
internal sealed class LiveOutputActor(IReadOnlyList<ITraceOutput> outputs, LiveLane lane, ActorRef<SessionMessage> session) : Actor<LiveMessage>
{
    private readonly OutputSet _outputs = new(outputs, failure => session.Tell(new LiveFailed(failure)));
    private bool _completed;

    protected override ValueTask ReceiveAsync(LiveMessage message)
    {
        switch (message)
        {
            case TracesToShow { Traces: var traces }:
                _outputs.Write(traces);
                lane.Leave(traces);
                break;
            case CompleteLive { Session: var ended, Statistics: var statistics } when !_completed:
                _completed = true; // a session that fails at its very end may say so twice
                _outputs.Complete(ended, statistics);
                session.Tell(new LiveCompleted(_outputs.Failure));
                break;
        }
        return default;
    }

    protected override ValueTask PostStopAsync()
    {
        _outputs.Close();
        return default;
    }
}
