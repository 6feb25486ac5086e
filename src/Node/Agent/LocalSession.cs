using NftCluster.Actors;
using NftCluster.Messages;
using NftCluster.Messages.Link;
using NftCluster.Node.Kernel;
using NftCluster.Node.Pipeline;
using NftCluster.Node.Sessions;
using NftCluster.Node.Spool;

namespace NftCluster.Node.Agent;

/// <summary>One desired session on this node: what is wanted, what runs of it, and its numbers over all its runs. Owned by the agent.</summary>
[System.Diagnostics.CodeAnalysis.SuppressMessage("Design", "CA1001", Justification = "The output belongs to the session's actor, which disposes it.")]
internal sealed class LocalSession(DesiredSession wanted, StatisticsRecord? before)
{
    public const string Running = "RUNNING";
    public const string Paused = "PAUSED";
    public const string Stopped = "STOPPED";
    public const string Failed = "FAILED";

    /// <summary>A trace with ten events and its verdicts, open.</summary>
    private const ulong BytesPerOpenTrace = 2_048;
    private const int MostOpen = 100_000;
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(30);

    private readonly PacketSampling _sampling = new();
    private readonly SamplingGovernor _governor = new();
    private StatisticsRecord? _before = before;
    private ActorRef<SessionMessage>? _session;
    private string? _hostKey;
    private LossDeltas _losses = new(0);
    private SpoolOutput? _output;
    private long _keptEvents;

    public DesiredSession Wanted { get; private set; } = wanted;

    public string State { get; private set; } = "STARTING";

    public string? FailureReason { get; private set; }

    public bool IsOpen => _session is not null;

    public double EventsPerSecond { get; private set; }

    /// <summary>Over all runs; null before the first look.</summary>
    public StatisticsRecord? Statistics { get; private set; } = before;

    public ObservedSession Observed()
    {
        ObservedSession observed = new() { Id = Wanted.Id, Generation = Wanted.Generation, State = State, FailureReason = FailureReason ?? "", SampleThreshold = _sampling.Threshold };
        observed.SampleReason = _sampling.Threshold == 0 ? "" : _governor.Reason ?? "asked for";
        return observed;
    }

    /// <summary>What it cannot do is its state: one session's failure is nobody else's.</summary>
    public async Task OpenAsync(DesiredSession wanted, KernelHosts hosts, SpoolLane lane, string? netns, long nowNs)
    {
        Wanted = wanted;
        FailureReason = null;
        _sampling.Threshold = _governor.Within(wanted.SampleThreshold);
        long left = (long)wanted.WithLimits().Packets - (_before?.ExportedPackets ?? 0);
        if (wanted.WithLimits().Packets > 0 && left <= 0)
        {
            State = Stopped;
            return;
        }
        try
        {
            string probes = wanted.Probes.Count > 0 ? string.Join(',', wanted.Probes) : wanted.Mode == "nft" ? "nft" : "all";
            SessionSpec spec = Spec(wanted, netns, Math.Max(0, left), lane);
            _ = SessionWants.Of(spec); // a filter that cannot be is said before anything is attached
            (string key, NodeHost host) = hosts.Rent(probes, spec.Netns);
            _hostKey = key;
            _session = await host.OpenAsync(spec, CancellationToken.None);
            _losses = new LossDeltas(nowNs);
            State = Running;
        }
        catch (Exception refused) when (refused is KernelException or Kernel.Symbols.KernelTypesException or Kernel.Filter.FilterException or TimeoutException or DllNotFoundException)
        {
            await LetGoAsync(hosts);
            (State, FailureReason) = (Failed, refused.Message.ReplaceLineEndings(" "));
        }
    }

    /// <summary>Ends this run in order: what it has is with the spool afterwards.</summary>
    public async Task<IReadOnlyList<Loss>> CloseAsync(KernelHosts hosts, string state, long nowNs)
    {
        IReadOnlyList<Loss> lost = [];
        if (_session is { } session)
        {
            try
            {
                SessionEnded ended = await session.AskAsync<SessionEnded>(reply => new StopSession(reply), _patience);
                lost = Take(ended.Statistics, nowNs);
                FailureReason = ended.Session.FailureReason ?? FailureReason;
                state = ended.Session.FailureReason is null ? state : Failed;
            }
            catch (Exception gone) when (gone is TimeoutException or InvalidOperationException)
            {
                (state, FailureReason) = (Failed, $"its last run did not end in order: {gone.Message.ReplaceLineEndings(" ")}");
            }
            _before = Statistics;
        }
        await LetGoAsync(hosts);
        State = state;
        return lost;
    }

    /// <summary>The filter of a running session; the old one stays when the new one is refused.</summary>
    public async Task ChangeFilterAsync(DesiredSession wanted)
    {
        Wanted = wanted;
        if (_session is not { } session)
        {
            return;
        }
        try
        {
            FilterAnswer answer = await session.AskAsync<FilterAnswer>(reply => new ChangeFilter(wanted.Filter, reply), _patience);
            FailureReason = answer.Error;
        }
        catch (Exception gone) when (gone is TimeoutException or InvalidOperationException)
        {
            FailureReason = "the filter was not changed: the session did not answer";
        }
    }

    public void Adjust(DesiredSession wanted) => Wanted = wanted;

    /// <summary>Once a second: numbers, losses since the last look, budget. True when the session has ended by itself.</summary>
    public async Task<(bool IsOver, IReadOnlyList<Loss> Losses)> LookAsync(double cpuPercent, long nowNs, TimeSpan since)
    {
        if (_session is not { } session)
        {
            return (false, []);
        }
        try
        {
            SessionStatus status = await session.AskAsync<SessionStatus>(reply => new GetStatus(reply), _patience);
            IReadOnlyList<Loss> losses = Take(status.Statistics, nowNs);
            long kept = _sampling.KeptEvents;
            EventsPerSecond = since > TimeSpan.Zero ? (kept - _keptEvents) / since.TotalSeconds : 0;
            _keptEvents = kept;
            SessionLimits limits = Wanted.WithLimits();
            _governor.Look(EventsPerSecond, limits.EventsPerSecond, cpuPercent, limits.CpuPercent);
            _sampling.Threshold = _governor.Within(Wanted.SampleThreshold);
            return (status.State is not (SessionState.Starting or SessionState.Running) || (limits.EndsNs != 0 && nowNs >= limits.EndsNs), losses);
        }
        catch (TimeoutException)
        {
            return (false, []); // busy: the next look may fare better
        }
        catch (InvalidOperationException)
        {
            return (true, []);
        }
    }

    private IReadOnlyList<Loss> Take(StatisticsRecord now, long nowNs)
    {
        StatisticsRecord own = now with
        {
            ExportedPackets = Math.Max(0, now.ValuablePackets - _sampling.SampledOut - (_output?.Refused ?? 0)),
            Losses = [.. now.Losses, new LossRecord { Stage = SpoolOutput.Stage, Kind = "traces", Count = _output?.Refused ?? 0 }],
        };
        Statistics = StatisticsSum.Of(_before, own);
        // What the lane refused tells its own losses, with their times.
        return _losses.Look(now.Losses.Where(l => l.Stage != SpoolOutput.Stage), nowNs);
    }

    private async ValueTask LetGoAsync(KernelHosts hosts)
    {
        _session = null;
        EventsPerSecond = 0;
        if (_hostKey is { } key)
        {
            _hostKey = null;
            await hosts.ReturnAsync(key);
        }
    }

    private SessionSpec Spec(DesiredSession wanted, string? netns, long packets, SpoolLane lane)
    {
        _output = new SpoolOutput(wanted.Id, lane);
        ulong memory = wanted.WithLimits().MemoryBytes;
        return new SessionSpec
        {
            Id = wanted.Id,
            Mode = wanted.Mode.Length > 0 ? wanted.Mode : "full",
            Filter = wanted.Filter.Length > 0 ? wanted.Filter : null,
            Device = wanted.Device.Length > 0 ? wanted.Device : null,
            Netns = wanted.Netns.Length > 0 ? wanted.Netns : netns,
            Mark = wanted.Mark.Length > 0 ? wanted.Mark : null,
            Quality = wanted.Quality.Length > 0 ? wanted.Quality : Export.TraceQuality.Valuable,
            MaxPackets = packets,
            SnapBytes = (int)Math.Min(wanted.SnapBytes, PacketHeader.MostPayloadBytes),
            Sampling = _sampling,
            Tracker = new TrackerOptions { MaxOpen = memory == 0 ? MostOpen : (int)Math.Clamp(memory / BytesPerOpenTrace, 100, MostOpen) },
            Outputs = [_output],
        };
    }
}

internal static class DesiredSessionLimits
{
    private static readonly SessionLimits _none = new();

    public static SessionLimits WithLimits(this DesiredSession session) => session.Limits ?? _none;
}
