using BenchmarkDotNet.Attributes;
using NftCluster.Node.Kernel;
using NftCluster.Node.Kernel.Probes;
using NftCluster.Node.Pipeline;

namespace NftCluster.Bench.Parts;

/// <summary>From recorded ring records to closed traces, as one shard does it: one operation is one event.</summary>
public class PipelineBenchmarks
{
    private EventBatch _batch = null!;
    private BatchReader _reader = null!;
    private RecyclingSink _sink = null!;

    [GlobalSetup]
    public void Record()
    {
        Rates.Set(nameof(PipelineBenchmarks), nameof(EventsToClosedTraces), 1, "events/s");
        _batch = Recording.Make();
        ProbeFacts facts = new(ProbeCatalog.All);
        TracePool pool = new();
        SessionStatistics statistics = new(facts.Count);
        _sink = new RecyclingSink(pool, statistics);
        _reader = new BatchReader(new VisitTracker(facts, new TrackerOptions(), pool), statistics, 0);
        // Until the pool holds as many traces as are open at once: steady state.
        for (int i = 0; i < 100; i++)
        {
            EventsToClosedTraces();
        }
    }

    [Benchmark(OperationsPerInvoke = Recording.Events)]
    public void EventsToClosedTraces()
    {
        Recording.Advance(_batch);
        _reader.Read(_batch, _sink);
    }
}
