using System.Diagnostics;
using NftCluster.Controller.Storage;
using NftCluster.Messages;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace NftCluster.Controller.Telemetry;

/// <summary>
/// Journeys as OTLP traces: a journey is a trace, a hop a span in it, below it a span for each layer that the packet passed; nft verdicts are events of the hop.
/// Times are the controller's clock to 100 ns; each hop carries its node's own time and the offset that was taken off. For one thread.
/// </summary>
internal sealed class JourneySpans : IDisposable
{
    public const string SourceName = "NftCluster.Journeys";

    private readonly ActivitySource _source = new(SourceName);
    private readonly SpanBasket _basket;
    private readonly TracerProvider _provider;

    public JourneySpans(Uri endpoint, TimeSpan patience, string version)
    {
        _basket = new SpanBasket(new OtlpTraceExporter(new OtlpExporterOptions
        {
            Endpoint = endpoint.AbsolutePath == "/" ? new Uri(endpoint, "/v1/traces") : endpoint,
            Protocol = OtlpExportProtocol.HttpProtobuf,
            TimeoutMilliseconds = (int)patience.TotalMilliseconds,
        }));
        _provider = Sdk.CreateTracerProviderBuilder().AddSource(SourceName).SetSampler(new AlwaysOnSampler())
            .ConfigureResource(resource => resource.AddService("nftcluster", serviceVersion: version, autoGenerateServiceInstanceId: false)).AddProcessor(_basket).Build();
    }

    /// <summary>False where the collector did not take them: nothing of it is kept here.</summary>
    public bool Send(IEnumerable<JourneyRecord> journeys, IReadOnlyDictionary<TraceId, TraceRecord> traces)
    {
        foreach (JourneyRecord journey in journeys)
        {
            Add(journey, traces);
        }
        return _basket.Send();
    }

    public void Dispose()
    {
        _provider.Dispose();
        _source.Dispose();
    }

    private void Add(JourneyRecord journey, IReadOnlyDictionary<TraceId, TraceRecord> traces)
    {
        DateTimeOffset begin = Time(journey.FirstSeen, 0);
        Activity.Current = null; // a journey is nobody's child
        if (_source.StartActivity($"{journey.Protocol} {string.Join(" > ", journey.Path)}", ActivityKind.Internal, default(ActivityContext), Tags(journey), startTime: begin) is not { } root)
        {
            return;
        }
        DateTimeOffset end = begin.AddTicks(Math.Max(0, journey.LatencyNs) / 100);
        foreach (HopRecord hop in journey.Hops)
        {
            DateTimeOffset left = Add(hop, root.Context, TraceId.TryParse(hop.TraceId, out TraceId id) ? traces.GetValueOrDefault(id) : null);
            end = left > end ? left : end;
        }
        if (journey.Outcome.StartsWith("dropped", StringComparison.Ordinal))
        {
            root.SetStatus(ActivityStatusCode.Error, journey.Summary);
        }
        root.SetEndTime(end.UtcDateTime);
        root.Stop();
    }

    private DateTimeOffset Add(HopRecord hop, ActivityContext parent, TraceRecord? trace)
    {
        DateTimeOffset begin = Time(hop.FirstSeen, hop.ClockOffsetNs);
        DateTimeOffset end = Time(hop.LastSeen, hop.ClockOffsetNs);
        if (_source.StartActivity($"{hop.NodeName} {hop.Verdict}", ActivityKind.Internal, parent, Tags(hop), startTime: begin) is not { } span)
        {
            return end;
        }
        foreach (NftEventRecord verdict in trace?.NftEvents ?? [])
        {
            span.AddEvent(new ActivityEvent("nft verdict", Time(verdict.Timestamp, hop.ClockOffsetNs), new ActivityTagsCollection(Tags(verdict))));
        }
        foreach ((string layer, EventRecord[] events) in Layers(trace))
        {
            if (_source.StartActivity(layer, ActivityKind.Internal, span.Context, [new("nftcluster.functions", events.Select(seen => seen.FuncName).Distinct(StringComparer.Ordinal).ToArray())], startTime: Time(events[0].Timestamp, hop.ClockOffsetNs)) is { } child)
            {
                child.SetEndTime(Time(events[^1].Timestamp, hop.ClockOffsetNs).UtcDateTime);
                child.Stop();
                DateTimeOffset ended = new(child.StartTimeUtc + child.Duration); // never nothing: at least a tick
                end = ended > end ? ended : end;
            }
        }
        if (hop.Verdict == "dropped")
        {
            span.SetStatus(ActivityStatusCode.Error, hop.DropReason ?? "dropped");
        }
        span.SetEndTime(end.UtcDateTime);
        span.Stop();
        return end;
    }

    /// <summary>Runs of events in one layer, in time order.</summary>
    private static IEnumerable<(string Layer, EventRecord[] Events)> Layers(TraceRecord? trace)
    {
        List<EventRecord> run = [];
        foreach (EventRecord seen in (trace?.Events ?? []).OrderBy(seen => seen.OffsetNs))
        {
            if (run.Count > 0 && run[0].Layer != seen.Layer)
            {
                yield return (run[0].Layer, [.. run]);
                run.Clear();
            }
            run.Add(seen);
        }
        if (run.Count > 0)
        {
            yield return (run[0].Layer, [.. run]);
        }
    }

    private static IEnumerable<KeyValuePair<string, object?>> Tags(JourneyRecord journey) =>
    [
        new("nftcluster.journey_id", journey.Id),
        new("nftcluster.session_id", journey.SessionId),
        new("nftcluster.outcome", journey.Outcome),
        new("nftcluster.complete", journey.Complete),
        new("nftcluster.incomplete_reasons", journey.IncompleteReasons.ToArray()),
        new("nftcluster.summary", journey.Summary),
        new("network.transport", journey.Protocol.ToLowerInvariant()),
        new("source.address", journey.SrcIp),
        new("source.port", journey.SrcPort),
        new("destination.address", journey.DstIp),
        new("destination.port", journey.DstPort),
    ];

    private static IEnumerable<KeyValuePair<string, object?>> Tags(HopRecord hop) =>
    [
        new("host.name", hop.NodeName),
        new("nftcluster.trace_id", hop.TraceId),
        new("nftcluster.verdict", hop.Verdict),
        new("nftcluster.drop_reason", hop.DropReason),
        new("nftcluster.rule", hop.Rule?.Text),
        new("nftcluster.join", hop.Join?.Kind),
        new("nftcluster.translated", hop.Translated),
        new("nftcluster.in_device", hop.In?.Device),
        new("nftcluster.out_device", hop.Out?.Device),
        new("nftcluster.ttl", hop.In?.Ttl ?? hop.Out?.Ttl),
        new("nftcluster.first_seen", hop.FirstSeen),
        new("nftcluster.clock_offset_ns", hop.ClockOffsetNs),
        new("nftcluster.clock_bound_ns", hop.ClockBoundNs),
    ];

    private static IEnumerable<KeyValuePair<string, object?>> Tags(NftEventRecord verdict) =>
    [
        new("nftcluster.table", $"{verdict.Family} {verdict.Table}"),
        new("nftcluster.chain", verdict.Chain),
        new("nftcluster.trace_type", verdict.TraceType),
        new("nftcluster.rule_handle", verdict.RuleHandle),
        new("nftcluster.rule", verdict.RuleText),
        new("nftcluster.verdict", verdict.Verdict),
    ];

    private static DateTimeOffset Time(string text, long offsetNs) => TraceTime.TryParse(text, out long ns) ? DateTimeOffset.UnixEpoch.AddTicks((ns - offsetNs) / 100) : DateTimeOffset.UnixEpoch;

    /// <summary>Holds spans until they are sent together.</summary>
    private sealed class SpanBasket(BaseExporter<Activity> exporter) : BaseExportProcessor<Activity>(exporter)
    {
        private readonly List<Activity> _spans = [];

        public bool Send()
        {
            Activity[] spans = [.. _spans];
            _spans.Clear();
            return spans.Length == 0 || exporter.Export(new Batch<Activity>(spans, spans.Length)) == ExportResult.Success;
        }

        protected override void OnExport(Activity data) => _spans.Add(data);
    }
}
