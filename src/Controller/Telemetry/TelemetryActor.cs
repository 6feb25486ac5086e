using Microsoft.Extensions.Logging;
using NftCluster.Actors;
using NftCluster.Controller.Cluster;
using NftCluster.Controller.Hosting;
using NftCluster.Controller.Sessions;
using NftCluster.Controller.Stitching;
using NftCluster.Controller.Storage;
using NftCluster.Messages;

namespace NftCluster.Controller.Telemetry;

internal sealed record TelemetryTick;

/// <summary>
/// Sends journeys to an OTLP collector, behind the traces by <see cref="Settle"/>, so that all hops are home. Nothing waits for it: what it sends it reads from storage,
/// at its own pace. A collector that is away is asked again, later and later; one that was away for longer than <see cref="MostBehind"/> misses what lies before, and that is counted.
/// </summary>
internal sealed class TelemetryActor(ActorRef<ClusterMessage> cluster, JourneyQueries journeys, TraceQueries traces, JourneySpans spans, ControllerMetrics metrics, ILogger logger) : Actor<TelemetryTick>
{
    public static readonly TimeSpan Period = TimeSpan.FromSeconds(1);
    public static readonly TimeSpan Settle = TimeSpan.FromSeconds(5);
    public static readonly TimeSpan MostBehind = TimeSpan.FromMinutes(1);

    private const int AtOnce = 256;
    private const long StepNs = 1_000_000_000;
    private static readonly TimeSpan _longestWait = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(10);

    private readonly Dictionary<string, Progress> _progress = new(StringComparer.Ordinal);
    private readonly HashSet<string> _sentOfStep = new(StringComparer.Ordinal);
    private TimeSpan _wait = Period;
    private long _began;

    protected override ValueTask PreStartAsync()
    {
        _began = Now;
        Timers.StartSingle(nameof(TelemetryTick), new TelemetryTick(), _wait);
        return default;
    }

    protected override async ValueTask ReceiveAsync(TelemetryTick message)
    {
        bool isTaken = true;
        try
        {
            IReadOnlyDictionary<string, string> names = await NodeNames.AskAsync(cluster, CancellationToken.None);
            IReadOnlyList<ClusterSessionView> sessions = await cluster.AskAsync<IReadOnlyList<ClusterSessionView>>(reply => new ListSessions(reply), _patience);
            foreach (string gone in _progress.Keys.Except(sessions.Select(session => session.Id), StringComparer.Ordinal).ToArray())
            {
                _progress.Remove(gone);
            }
            foreach (ClusterSessionView session in sessions)
            {
                isTaken = isTaken && await SendAsync(session.Id, names);
            }
        }
        catch (Exception later) when (later is TimeoutException or InvalidOperationException or StorageException)
        {
            ClusterLog.Session(logger, "otlp", $"journeys wait: {later.Message}");
        }
        _wait = isTaken ? Period : TimeSpan.FromTicks(Math.Min(_longestWait.Ticks, _wait.Ticks * 2));
        Timers.StartSingle(nameof(TelemetryTick), new TelemetryTick(), _wait);
    }

    private long Now => TraceTime.UnixNs(Context.Time.GetUtcNow());

    /// <summary>False where the collector did not answer.</summary>
    private async ValueTask<bool> SendAsync(string session, IReadOnlyDictionary<string, string> names)
    {
        long until = Now - Settle.Ticks * 100;
        if (!_progress.TryGetValue(session, out Progress? progress))
        {
            _progress[session] = progress = new Progress { SentUpTo = Math.Min(_began, until), LastFrame = await traces.LastFrameAsync(session, CancellationToken.None) };
        }
        await CountLateAsync(session, progress);
        long from = progress.SentUpTo;
        if (until - from > MostBehind.Ticks * 100)
        {
            metrics.TelemetrySkipped.Add(await journeys.TracesBetweenAsync(session, from, until, CancellationToken.None));
            from = until;
        }
        else if (await journeys.TracesBetweenAsync(session, from, until, CancellationToken.None) == 0)
        {
            from = until;
        }
        progress.SentUpTo = from;
        while (from < until)
        {
            long end = Math.Min(until, from + StepNs);
            List<JourneyRecord> step = [];
            await journeys.BetweenAsync(session, from, end - 1, names, step.Add, CancellationToken.None);
            foreach (JourneyRecord[] some in step.Where(journey => !_sentOfStep.Contains(journey.Id)).Chunk(AtOnce))
            {
                TraceId[] ids = [.. some.SelectMany(journey => journey.Hops).Select(hop => TraceId.TryParse(hop.TraceId, out TraceId id) ? id : default)];
                IReadOnlyDictionary<TraceId, TraceRecord> records = await traces.ManyAsync(session, ids, CancellationToken.None);
                if (!await Task.Run(() => spans.Send(some, records)))
                {
                    metrics.TelemetryFailures.Add(1);
                    return false;
                }
                metrics.TelemetryJourneys.Add(some.Length);
                _sentOfStep.UnionWith(some.Select(journey => journey.Id));
            }
            _sentOfStep.Clear();
            progress.SentUpTo = from = end;
        }
        return true;
    }

    /// <summary>Of nodes that were away: their packets' journeys went without them.</summary>
    private async ValueTask CountLateAsync(string session, Progress progress)
    {
        foreach (FrameSpan fresh in await journeys.StoredBehindAsync(session, progress.LastFrame, CancellationToken.None))
        {
            progress.LastFrame = Math.Max(progress.LastFrame, fresh.Id);
            metrics.TelemetryLate.Add(fresh.LastNs < progress.SentUpTo ? fresh.Traces : 0);
        }
    }

    private sealed class Progress
    {
        /// <summary>Journeys that began before it were sent, or counted.</summary>
        public required long SentUpTo { get; set; }

        /// <summary>Up to it, stored traces were looked at for their time.</summary>
        public required long LastFrame { get; set; }
    }
}
