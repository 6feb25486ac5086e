using NftCluster.Messages;
using NftCluster.Node.Export;

namespace NftCluster.Tests.Node.Export;

public sealed class FlatMemoryTests
{
    private const int Traces = 200_000;

    /// <summary>The serializer boxes one enumerator per list; a trace is ten times this and more.</summary>
    private const int BytesPerTrace = 128;

    [Fact]
    public void Two_hundred_thousand_traces_are_written_and_read_in_flat_memory()
    {
        using var directory = new TempDirectory();
        TraceRecord trace = Samples.Bare();
        using var writer = ExportWriter.Create(directory.Path, Samples.Session());
        Append(writer, trace, 5_000);

        long before = GC.GetAllocatedBytesForCurrentThread();
        Append(writer, trace, Traces - 5_000);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        string path = writer.Complete(Samples.Session(), Samples.Statistics());

        Assert.InRange(allocated / (Traces - 5_000), 0, BytesPerTrace);
        Assert.Equal(Traces, CountWithin(path, growthLimit: 16 << 20));
    }

    private static void Append(ExportWriter writer, TraceRecord trace, int count)
    {
        for (int i = 0; i < count; i++)
        {
            writer.Append(trace);
        }
    }

    private static int CountWithin(string path, long growthLimit)
    {
        using var reader = ExportReader.Open(path);
        long before = GC.GetTotalMemory(forceFullCollection: true);
        int count = 0;
        foreach (TraceRecord unused in reader.ReadTraces())
        {
            count++;
            if (count % 50_000 == 0)
            {
                Assert.InRange(GC.GetTotalMemory(forceFullCollection: true) - before, long.MinValue, growthLimit);
            }
        }

        return count;
    }
}
