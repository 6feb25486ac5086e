using NftCluster.Node.Kernel;
using NftCluster.Node.Kernel.Probes;
using NftCluster.Node.Pipeline;

namespace NftCluster.Bench.Parts;

/// <summary>Bytes that one open ten-event trace takes, the tracker's tables included: the heap before and after many.</summary>
internal static class OpenTraceMemory
{
    private const int Chunk = 4096;
    private const int Chunks = 20;

    /// <summary>What docs/performance.md promises.</summary>
    public const double Budget = 1024;

    public static double BytesPerTrace()
    {
        ProbeFacts facts = new(ProbeCatalog.All);
        VisitTracker tracker = new(facts, new TrackerOptions(), new TracePool());
        BatchReader reader = new(tracker, new SessionStatistics(facts.Count), 0);
        KeepingSink closed = new();
        EventBatch batch = Recording.Make(Chunk * Chunks, Chunk * Chunks, withEnd: false);
        long before = GC.GetTotalMemory(forceFullCollection: true);
        reader.Read(batch, closed);
        long after = GC.GetTotalMemory(forceFullCollection: true);
        GC.KeepAlive(batch);
        GC.KeepAlive(reader);
        return tracker.Open == Chunk * Chunks && closed.Traces.Count == 0
            ? (after - before) / (double)tracker.Open
            : throw new InvalidOperationException($"{tracker.Open} traces are open instead of {Chunk * Chunks}: change the recording");
    }
}
