using NftCluster.Messages;
using NftCluster.Node.Export;
using NftCluster.Node.Kernel;
using NftCluster.Node.Pipeline;

namespace NftCluster.Node.Sessions;

/// <summary>A session's numbers in the public shape: every stage that can lose something is listed, zeros included.</summary>
internal sealed class SessionReport(SessionSpec spec, SessionPlace place)
{
    private const int TopFunctions = 20;
    private const int MostUnseen = 100;
    private const string Events = "events";
    private const string Batches = "batches";
    private const string Traces = "traces";
    private const string Messages = "messages";

    private readonly DateTimeOffset _start = place.Host.Time.GetUtcNow();
    private readonly long _startTicks = place.Host.Time.GetTimestamp();
    private readonly LossTimes _losses = new(place.Host.Time.GetUtcNow());
    private DateTimeOffset? _end;
    private TimeSpan _duration;

    private readonly List<string> _unseen = [];

    public string? LastTraceError { get; set; }

    /// <summary>Once each: a way that was there for a while may have been taken.</summary>
    public void AddUnseen(IReadOnlyList<string> ways) => _unseen.AddRange(ways.Except(_unseen, StringComparer.Ordinal).Take(MostUnseen - _unseen.Count).ToArray());

    public SessionRecord Session(SessionState state, string? filter, string? failure)
    {
        End();
        return new SessionRecord
        {
            Id = spec.Id,
            Mode = spec.Mode,
            State = SessionStateMachine.NameOf(state),
            StartTime = TraceTime.Format(_start),
            EndTime = _end is { } end ? TraceTime.Format(end) : null,
            Host = place.Host.Host,
            KernelRelease = place.Host.KernelRelease,
            Version = place.Host.Version,
            Filter = string.IsNullOrWhiteSpace(filter) ? null : filter,
            Device = spec.Device,
            Netns = spec.Netns,
            Mark = spec.Mark,
            Probes = place.Probes,
            Quality = spec.Quality,
            NotVisible = _unseen.Count == 0 ? null : [.. _unseen],
            FailureReason = failure,
        };
    }

    /// <summary>The session as it begins: its export's file is named after this.</summary>
    public static SessionRecord AtStart(SessionSpec spec, HostFacts host) => new()
    {
        Id = spec.Id,
        Mode = spec.Mode,
        State = SessionStateMachine.NameOf(SessionState.Created),
        StartTime = TraceTime.Format(host.Time.GetUtcNow()),
        Host = host.Host,
        KernelRelease = host.KernelRelease,
        Version = host.Version,
        Filter = spec.Filter,
        Device = spec.Device,
        Netns = spec.Netns,
        Mark = spec.Mark,
        Quality = spec.Quality,
    };

    public StatisticsRecord Statistics(StatisticsSnapshot? snapshot, KernelCounts? now, long batchesRefused, long liveRefused)
    {
        TimeSpan duration = _end is null ? place.Host.Time.GetElapsedTime(_startTicks) : _duration;
        IReadOnlyList<(string Name, long Count)> hits = snapshot is null ? [] :
            [.. snapshot.Hits.Select((count, probe) => (Name: place.Facts.Catalog[probe].ShownName, Count: count)).Where(h => h.Count > 0).OrderByDescending(h => h.Count)];
        return new StatisticsRecord
        {
            TotalEvents = snapshot?.Events ?? 0,
            TotalPackets = snapshot?.Packets ?? 0,
            ValuablePackets = snapshot?.Valuable ?? 0,
            ExportedPackets = 0,
            FunctionsTraced = hits.Select(h => h.Name).Distinct(StringComparer.Ordinal).Count(),
            TopFunctions = [.. hits.Take(TopFunctions).Select(h => new FunctionCount(h.Name, h.Count))],
            EventsPerSecond = duration > TimeSpan.Zero ? Math.Round((snapshot?.Events ?? 0) / duration.TotalSeconds, 1) : 0,
            Verdicts = Enum.GetValues<Verdict>().ToDictionary(TraceRecordFactory.NameOf, v => snapshot?.Verdicts[(int)v] ?? 0, StringComparer.Ordinal),
            DropReasons = (snapshot?.DropReasons ?? new Dictionary<uint, long>()).ToDictionary(r => place.DropReasons.NameOf(r.Key), r => r.Value, StringComparer.Ordinal),
            DuplicateEvents = snapshot?.Repeats ?? 0,
            Losses = Losses(snapshot, now, batchesRefused, liveRefused),
        };
    }

    private List<LossRecord> Losses(StatisticsSnapshot? snapshot, KernelCounts? now, long batchesRefused, long liveRefused)
    {
        KernelCounts before = place.Before;
        now ??= before;
        if (spec.Sampling is { } sampling)
        {
            return Losses(snapshot, before, now, batchesRefused, liveRefused, ("sampled-out", Traces, sampling.SampledOut));
        }
        return Losses(snapshot, before, now, batchesRefused, liveRefused);
    }

    private List<LossRecord> Losses(StatisticsSnapshot? snapshot, KernelCounts before, KernelCounts now, long batchesRefused, long liveRefused, params ReadOnlySpan<(string Stage, string Kind, long Count)> more) =>
        _losses.Look(
            _end ?? place.Host.Time.GetUtcNow(),
            [
                ("probe-missed", Events, now.ProbesMissed - before.ProbesMissed),
                ("filter-unasked", Events, now.Unasked - before.Unasked),
                ("call-untimed", Events, now.Untimed - before.Untimed),
                ("ring-full", Events, now.RingFull - before.RingFull),
                ("batch-lane-full", Batches, batchesRefused),
                ("track-evicted", Traces, now.TrackEvicted - before.TrackEvicted),
                ("orphaned", Events, snapshot?.OrphanEvents ?? 0),
                ("trace-evicted", Traces, snapshot?.Evicted ?? 0),
                ("trace-failed", Traces, snapshot?.Failed ?? 0),
                ("nft-unjoined", Events, snapshot?.UnjoinedVerdicts ?? 0),
                ("nft-message-lost", Messages, now.NftMessagesLost - before.NftMessagesLost),
                ("output-lane-full", Traces, snapshot?.Unwritten ?? 0),
                (LiveLane.Stage, Traces, liveRefused),
                .. more,
            ]);

    private void End()
    {
        if (_end is null)
        {
            _end = place.Host.Time.GetUtcNow();
            _duration = place.Host.Time.GetElapsedTime(_startTicks);
        }
    }
}
