using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;

namespace NftCluster.Controller.Hosting;

/// <summary>A value that was asked for when somebody wanted to know it.</summary>
internal sealed record GaugeValue(string Name, string Description, string Labels, double Value);

/// <summary>The controller's counters (System.Diagnostics.Metrics), from the start of the process on, and all of it as Prometheus text (0.0.4).</summary>
internal sealed class ControllerMetrics : IDisposable
{
    private readonly Meter _meter = new("NftCluster.Controller");
    private readonly MeterListener _listener = new();
    private readonly ConcurrentDictionary<Instrument, long> _sums = new();

    public ControllerMetrics()
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (ReferenceEquals(instrument.Meter, _meter))
            {
                _sums[instrument] = 0;
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<long>((instrument, value, _, _) => _sums.AddOrUpdate(instrument, value, (_, before) => before + value));
        _listener.Start();
        Frames = _meter.CreateCounter<long>("nftcluster_stored_frames_total", null, "Frames of nodes that are durable.");
        Traces = _meter.CreateCounter<long>("nftcluster_stored_traces_total", null, "Traces that are durable.");
        Losses = _meter.CreateCounter<long>("nftcluster_stored_losses_total", null, "Loss records that are durable.");
        JourneysForgotten = _meter.CreateCounter<long>("nftcluster_live_journeys_forgotten_total", null, "Traces of journeys that were shown so long ago that a change of theirs is shown as new.");
        TelemetryJourneys = _meter.CreateCounter<long>("nftcluster_otlp_journeys_total", null, "Journeys that the OTLP collector took.");
        TelemetryFailures = _meter.CreateCounter<long>("nftcluster_otlp_failures_total", null, "Times that it did not.");
        TelemetryLate = _meter.CreateCounter<long>("nftcluster_otlp_late_traces_total", null, "Traces that nodes handed in after their packets' journeys were sent.");
        TelemetrySkipped = _meter.CreateCounter<long>("nftcluster_otlp_skipped_traces_total", null, "Traces whose journeys it was never sent, because it was away for too long.");
    }

    public Counter<long> Frames { get; }

    public Counter<long> Traces { get; }

    public Counter<long> Losses { get; }

    public Counter<long> JourneysForgotten { get; }

    public Counter<long> TelemetryJourneys { get; }

    public Counter<long> TelemetryFailures { get; }

    public Counter<long> TelemetryLate { get; }

    public Counter<long> TelemetrySkipped { get; }

    public string Text(IEnumerable<GaugeValue> gauges)
    {
        StringBuilder text = new();
        foreach ((Instrument counter, long value) in _sums.OrderBy(sum => sum.Key.Name, StringComparer.Ordinal))
        {
            Head(text, counter.Name, counter.Description ?? "", "counter").Append(CultureInfo.InvariantCulture, $"{counter.Name} {value}\n");
        }
        foreach (IGrouping<(string Name, string Description), GaugeValue> gauge in gauges.GroupBy(gauge => (gauge.Name, gauge.Description)))
        {
            Head(text, gauge.Key.Name, gauge.Key.Description, "gauge");
            foreach (GaugeValue value in gauge)
            {
                text.Append(CultureInfo.InvariantCulture, $"{value.Name}{value.Labels} {value.Value}\n");
            }
        }
        using var process = Process.GetCurrentProcess();
        Head(text, "process_resident_memory_bytes", "Resident memory.", "gauge").Append(CultureInfo.InvariantCulture, $"process_resident_memory_bytes {process.WorkingSet64}\n");
        Head(text, "process_cpu_seconds_total", "User and system CPU.", "counter").Append(CultureInfo.InvariantCulture, $"process_cpu_seconds_total {process.TotalProcessorTime.TotalSeconds}\n");
        return text.ToString();
    }

    public void Dispose()
    {
        _listener.Dispose();
        _meter.Dispose();
    }

    private static StringBuilder Head(StringBuilder text, string name, string description, string type) => text.Append(CultureInfo.InvariantCulture, $"# HELP {name} {description}\n# TYPE {name} {type}\n");
}
