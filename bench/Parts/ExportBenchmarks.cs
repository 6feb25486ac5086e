using BenchmarkDotNet.Attributes;
using NftCluster.Messages;
using NftCluster.Node.Export;
using NftCluster.Node.Kernel;
using NftCluster.Node.Kernel.Probes;
using NftCluster.Node.Kernel.Symbols;
using NftCluster.Node.Nftables;
using NftCluster.Node.Pipeline;
using NftCluster.Node.Sessions;

namespace NftCluster.Bench.Parts;

/// <summary>Ten-event traces into an export file on disk (not synced): one operation is one trace.</summary>
public class ExportBenchmarks
{
    private const int Traces = 4096;

    private readonly string _directory = Path.Combine(Path.GetTempPath(), $"nftcluster-bench-{Environment.ProcessId}");
    private readonly List<TraceRecord> _records = [];
    private readonly KeepingSink _closed = new();
    private SessionRecord _session = null!;
    private TraceRecordFactory _factory = null!;

    [GlobalSetup]
    public void Prepare()
    {
        ProbeFacts facts = new(ProbeCatalog.All);
        var host = HostFacts.Read(TimeProvider.System);
        _session = SessionReport.AtStart(new SessionSpec { Id = "bench" }, host);
        using var types = KernelTypes.Load();
        _factory = new TraceRecordFactory(facts, host, new DropReasons(types), new DeviceNames(), new NftRecordFactory(new RulesetHistory(), new DeviceNames()));
        VisitTracker tracker = new(facts, new TrackerOptions(), new TracePool());
        new BatchReader(tracker, new SessionStatistics(facts.Count), 0).Read(Recording.Make(Traces, Traces), _closed);
        tracker.CloseAll(_closed);
        _records.AddRange(_closed.Traces.Select(_factory.Make));

        using var buffer = new TraceBuffer(1 << 20);
        foreach (TraceRecord record in _records)
        {
            buffer.Add(record);
        }
        double megabytes = buffer.Length / 1e6 / _records.Count;
        Rates.Set(nameof(ExportBenchmarks), nameof(AppendRecords), megabytes, "MB/s");
        Rates.Set(nameof(ExportBenchmarks), nameof(MakeAndAppend), megabytes, "MB/s");
    }

    [GlobalCleanup]
    public void Remove() => Directory.Delete(_directory, recursive: true);

    [Benchmark(OperationsPerInvoke = Traces)]
    public void AppendRecords()
    {
        using var writer = ExportWriter.Create(_directory, _session);
        foreach (TraceRecord record in _records)
        {
            writer.Append(record);
        }
    }

    [Benchmark(OperationsPerInvoke = Traces)]
    public void MakeAndAppend()
    {
        using var writer = ExportWriter.Create(_directory, _session);
        foreach (PacketTrace trace in _closed.Traces)
        {
            writer.Append(_factory.Make(trace));
        }
    }
}
