using System.Collections.Concurrent;
using NftCluster.Messages;
using NftCluster.Node.Sessions;

namespace NftCluster.Tests.Node.Sessions;

/// <summary>An output that keeps what it got, and throws where a test wants it to.</summary>
internal sealed class RecordingOutput : ITraceOutput
{
    private readonly ConcurrentQueue<string> _calls = new();
    private readonly ConcurrentQueue<TraceRecord> _traces = new();

    public Exception? FailsToWrite { get; init; }

    public Exception? FailsToComplete { get; init; }

    public IEnumerable<TraceRecord> Traces => _traces;

    /// <summary>What was called, in order; batches of traces count once.</summary>
    public IEnumerable<string> Calls => _calls;

    public StatisticsRecord? Statistics { get; private set; }

    public SessionRecord? Session { get; private set; }

    public void Write(TraceRecord trace)
    {
        _traces.Enqueue(trace);
        _calls.Enqueue("write");
        Throw(FailsToWrite);
    }

    public void Flush() => _calls.Enqueue("flush");

    public void Complete(SessionRecord session, StatisticsRecord statistics)
    {
        (Session, Statistics) = (session, statistics);
        _calls.Enqueue("complete");
        Throw(FailsToComplete);
    }

    public void Dispose() => _calls.Enqueue("dispose");

    private static void Throw(Exception? failure)
    {
        if (failure is not null)
        {
            throw failure;
        }
    }
}
