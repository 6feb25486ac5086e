using NftCluster.Node.Kernel;
using NftCluster.Node.Kernel.Native;
using NftCluster.Node.Kernel.Symbols;
using NftCluster.Tests.Lab;
using NftCluster.Tests.Node.Export;

namespace NftCluster.Tests.Faults;

public sealed class RingOverflowTests
{
    private const int Flood = 200_000;

    [Fact]
    public void Nobody_reads_the_ring_and_still_every_event_is_either_read_later_or_counted_as_lost()
    {
        Root.Required();
        using QuietNetwork network = new();
        using var tracer = KernelTracer.Attach(new TracerOptions { NetnsPath = network.Path, RingBytes = 1 << 20 }, KernelSymbols.LoadInBackground());
        int bit = tracer.Reserve();
        tracer.Open(bit, new SessionFilter { Netns = NetworkNamespace.Inode(network.Path) }, []);

        network.Flood(Flood);
        tracer.Close(bit);

        long read = ReadAll(tracer.Ring);
        KernelCounts counts = tracer.Counts();
        Assert.True(counts.RingFull > Flood, $"{counts.RingFull} lost of {counts.Attempted}");
        Assert.True(read > 0);
        Assert.Equal(counts.Attempted, read + counts.RingFull);
    }

    [Fact]
    public async Task A_stopped_process_loses_events_and_its_export_says_exactly_how_many()
    {
        Root.Required();
        using QuietNetwork network = new();
        using TempDirectory directory = new();
        string ready = directory.File("ready");
        using var trace = RunningProgram.Start(
            "trace", "--netns", network.Name, "--ring-mb", "1", "--export", directory.Path, "--summary", "--ready-file", ready);
        await Eventually.HoldsAsync(() => trace.HasExited || File.Exists(ready), trace.Describe);
        int counters = KernelObjects.OpenMap(trace.Id, "counters");
        try
        {
            trace.Signal(RunningProgram.Stop);
            network.Flood(Flood);
            trace.Signal(RunningProgram.Continue);
            trace.Signal(RunningProgram.Interrupt);
            Assert.True(await trace.ExitAsync() == 0, trace.Describe());

            (long attempted, long lost) = KernelObjects.ReadCounters(counters);
            (NftCluster.Messages.StatisticsRecord statistics, _) = Exports.Read(Assert.Single(Exports.In(directory.Path)));
            Assert.True(lost > Flood, $"{lost} lost of {attempted}");
            Assert.Equal(lost, Assert.Single(statistics.Losses, l => l.Stage == "ring-full").Count);
            Assert.Equal(attempted, statistics.TotalEvents + lost);
        }
        finally
        {
            _ = Libc.close(counters);
        }
    }

    private static long ReadAll(RingBufferReader ring)
    {
        EventBatch batch = new(1 << 20, _ => { });
        long records = 0;
        while (ring.Read(batch) > 0)
        {
            records += batch.Records;
            batch.Reset();
        }
        Assert.Equal(0, ring.Backlog);
        return records;
    }
}
