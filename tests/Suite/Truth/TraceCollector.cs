using System.Collections.Concurrent;
using NftCluster.Messages;
using NftCluster.Node.Sessions;

namespace NftCluster.Tests.Truth;

/// <summary>Keeps every closed trace of a session.</summary>
internal sealed class TraceCollector : ITraceOutput
{
    private readonly ConcurrentQueue<TraceRecord> _traces = [];

    public IReadOnlyList<TraceRecord> Traces => [.. _traces];

    public void Write(TraceRecord trace) => _traces.Enqueue(trace);

    public void Flush()
    {
        // Nothing is held back.
    }

    public void Complete(SessionRecord session, StatisticsRecord statistics)
    {
        // The session's end carries both.
    }

    public void Dispose()
    {
        // Owns nothing.
    }
}
