using NftCluster.Node.Kernel;
using NftCluster.Node.Kernel.Probes;
using NftCluster.Node.Pipeline;

namespace NftCluster.Tests.Node.Pipeline;

/// <summary>What the pipeline may take: nothing per event once it runs, and little per open trace.</summary>
public sealed class PipelineMemoryTests
{
    private readonly TracePool _pool = new();
    private readonly VisitTracker _tracker;
    private readonly BatchReader _reader;

    public PipelineMemoryTests()
    {
        ProbeFacts facts = new(ProbeCatalog.All);
        _tracker = new VisitTracker(facts, new TrackerOptions(), _pool);
        _reader = new BatchReader(_tracker, new SessionStatistics(facts.Count), 0);
    }

    [Fact]
    public void An_event_allocates_nothing_in_steady_state()
    {
        EventScript script = new();
        for (int i = 0; i < 1000; i++)
        {
            script.Forward(new Skb((ulong)(i % 64) * 0x100, Frames.Udp4((ushort)i)));
        }
        EventBatch batch = script.ToBatch();
        Sink sink = new(_pool);
        for (int i = 0; i < 5; i++)
        {
            _reader.Read(batch, sink);
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 20; i++)
        {
            _reader.Read(batch, sink);
        }
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.Equal(0, allocated); // over 20 × 5,000 events
        Assert.True(sink.Taken > 20_000);
    }

    [Fact]
    public void An_open_trace_of_ten_events_keeps_at_most_a_kilobyte()
    {
        const int Traces = 10_000;
        EventBatch[] batches = [.. Enumerable.Range(0, 10).Select(part => TenEventsEach(part * Traces / 10, Traces / 10))];
        Sink sink = new(_pool);

        long before = GC.GetAllocatedBytesForCurrentThread();
        foreach (EventBatch batch in batches)
        {
            _reader.Read(batch, sink);
        }
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        // Garbage of growing tables is in it: what is kept is less.
        Assert.Equal((Traces, 0), (_tracker.Open, sink.Taken));
        Assert.InRange(allocated / Traces, 100, 1024);
    }

    private static EventBatch TenEventsEach(int first, int count)
    {
        EventScript script = new();
        for (int i = first; i < first + count; i++)
        {
            Skb skb = new(0x100_0000 + ((ulong)i * 0x100), Frames.Udp4((ushort)i)) { Head = 0x4000_0000 + ((ulong)i * 0x400) };
            script.Receive(skb);
            for (ulong step = 0; step < 9; step++)
            {
                script.Step(skb, "fn:nf_hook_slow", param: step);
            }
        }
        return script.ToBatch();
    }

    private sealed class Sink(TracePool pool) : ITraceSink
    {
        public int Taken { get; private set; }

        public void Take(PacketTrace trace)
        {
            Taken++;
            pool.ReturnLocal(trace);
        }
    }
}
