using NftCluster.Controller.Sessions;
using NftCluster.Controller.Storage;
using NftCluster.Controller.Telemetry;
using NftCluster.Messages;
using NftCluster.Messages.Link;
using NftCluster.TestKit;
using NftCluster.Tests.Controller.Cluster;
using NftCluster.Tests.Controller.Storage;
using NftCluster.Tests.Node.Export;

namespace NftCluster.Tests.Controller.Telemetry;

/// <summary>Journeys at an OTLP collector: what arrives, and what a collector that is away does not harm.</summary>
public sealed class TelemetryTests
{
    private readonly ManualTime _time = new();

    public TelemetryTests() => _time.SetUtcNow(new DateTimeOffset(2026, 1, 31, 14, 0, 0, TimeSpan.Zero));

    [Fact]
    public async Task A_journey_is_a_trace_its_hops_spans_and_layers_and_verdicts_lie_in_them()
    {
        using var collector = OtlpStub.Start();
        await using RunningController controller = await StartAsync(collector.Endpoint);
        ClusterSessionView session = await controller.CreateAsync();
        TraceRecord trace = Samples.ForwardedAt(NowNs() + 1_000_000_000) with { NftEvents = [new NftEventRecord { Timestamp = TraceTime.Format(NowNs() + 1_000_005_000), OffsetNs = 5_000, Verdict = "accept", TraceType = "rule", Family = "inet", Table = "filter", Chain = "forward", RuleHandle = 4 }] };
        Store(controller, session.Id, 1, trace);

        await PassUntilAsync(() => collector.Spans.Count > 2);

        StubSpan root = Assert.Single(collector.Spans, span => span.ParentId.Length == 0);
        StubSpan hop = Assert.Single(collector.Spans, span => span.ParentId == root.SpanId);
        StubSpan[] layers = [.. collector.Spans.Where(span => span.ParentId == hop.SpanId)];
        Assert.All(collector.Spans, span => Assert.Equal(root.TraceId, span.TraceId));
        Assert.Equal((ulong)First(trace), root.StartNs);
        Assert.Equal((ulong)First(trace), hop.StartNs);
        Assert.InRange(hop.EndNs, (ulong)(First(trace) + trace.DurationNs), (ulong)(First(trace) + trace.DurationNs) + 100); // a tick
        Assert.True(root.EndNs >= hop.EndNs);
        Assert.Equal(["device", "ip", "netfilter", "ip", "device"], layers.OrderBy(span => span.StartNs).Select(span => span.Name), StringComparer.Ordinal);
        Assert.All(layers, span => Assert.True(span.StartNs >= hop.StartNs && span.EndNs <= hop.EndNs));
        Assert.Equal(["nft verdict"], hop.Events);
        Assert.EndsWith("forwarded", hop.Name, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_collector_that_comes_late_gets_each_journey_once()
    {
        int port = OtlpStub.FreePort();
        await using RunningController controller = await StartAsync(new Uri($"http://127.0.0.1:{port}"));
        ClusterSessionView session = await controller.CreateAsync();
        Store(controller, session.Id, 1, Samples.ForwardedAt(NowNs() + 1_000_000_000), Samples.ForwardedAt(NowNs() + 1_500_000_000));

        await PassUntilAsync(() => Metric(controller, "nftcluster_otlp_failures_total") > 0);
        using var collector = OtlpStub.StartAt(port);
        await PassUntilAsync(() => collector.Spans.Count(span => span.ParentId.Length == 0) >= 2);
        await PassUntilAsync(() => Metric(controller, "nftcluster_otlp_journeys_total") == 2);

        Assert.Equal(2, collector.Spans.Count(span => span.ParentId.Length == 0));
        Assert.Equal(0, Metric(controller, "nftcluster_otlp_skipped_traces_total"));
    }

    [Fact]
    public async Task What_a_collector_missed_for_too_long_is_counted()
    {
        await using RunningController controller = await StartAsync(new Uri($"http://127.0.0.1:{OtlpStub.FreePort()}"));
        ClusterSessionView session = await controller.CreateAsync();
        Store(controller, session.Id, 1, Samples.ForwardedAt(NowNs() + 1_000_000_000), Samples.ForwardedAt(NowNs() + 1_500_000_000));

        await PassUntilAsync(() => Metric(controller, "nftcluster_otlp_skipped_traces_total") > 0);

        Assert.Equal(2, Metric(controller, "nftcluster_otlp_skipped_traces_total"));
        Assert.Equal("STARTING", (await controller.SessionAsync(session.Id)).State); // no node takes part; the controller goes on all the same
    }

    private Task<RunningController> StartAsync(Uri endpoint) => RunningController.StartAsync(time: _time, change: options => options with { OtlpEndpoint = endpoint });

    /// <summary>The clock goes on a second at a time until it is so.</summary>
    private Task<bool> PassUntilAsync(Func<bool> holds) => RunningController.UntilAsync(() =>
    {
        _time.Advance(TelemetryActor.Period);
        return Task.FromResult(holds());
    }, there => there);

    private static void Store(RunningController controller, string session, ulong sequence, params TraceRecord[] traces)
    {
        using FrameWriter writer = new(Database.Open(controller.StateDirectory));
        writer.Commit([Frames.Of("n1", sequence, new Payload { Traces = TraceBatchCodec.Encode(session, traces) })]);
    }

    private static long First(TraceRecord trace) => TraceTime.TryParse(trace.FirstSeen, out long ns) ? ns : 0;

    private long NowNs() => TraceTime.UnixNs(_time.GetUtcNow());

    private static long Metric(RunningController controller, string name) => controller.Host.Metrics.Text([]).Split('\n').Where(line => line.StartsWith($"{name} ", StringComparison.Ordinal)).Select(line => long.Parse(line.AsSpan(name.Length + 1), System.Globalization.CultureInfo.InvariantCulture)).Single();
}
