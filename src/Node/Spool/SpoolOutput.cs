using NftCluster.Messages;
using NftCluster.Messages.Link;
using NftCluster.Node.Sessions;

namespace NftCluster.Node.Spool;

/// <summary>A session's output into the spool. What the lane refuses is counted, and told with the next batch that finds room.</summary>
internal sealed class SpoolOutput(string session, SpoolLane lane) : ITraceOutput
{
    public const string Stage = "spool-lane-full";

    private readonly List<TraceRecord> _gathered = [];
    private Loss? _refused;
    private long _refusedTotal;

    /// <summary>Traces that the lane refused.</summary>
    public long Refused => Interlocked.Read(ref _refusedTotal);

    public void Write(TraceRecord trace) => _gathered.Add(trace);

    public void Flush()
    {
        if (_gathered.Count == 0)
        {
            return;
        }
        TraceRecord[] traces = [.. _gathered];
        _gathered.Clear();
        if (lane.TryOffer(new SpoolTraces(session, traces, _refused)))
        {
            _refused = null;
            return;
        }
        Interlocked.Add(ref _refusedTotal, traces.Length);
        _refused ??= new Loss { Stage = Stage, Kind = "traces", Count = 0, FromNs = long.MaxValue, ToNs = long.MinValue };
        _refused.Count += (ulong)traces.Length;
        foreach (TraceRecord trace in traces)
        {
            _refused.FromNs = Math.Min(_refused.FromNs, TraceTime.TryParse(trace.FirstSeen, out long first) ? first : _refused.FromNs);
            _refused.ToNs = Math.Max(_refused.ToNs, TraceTime.TryParse(trace.LastSeen, out long last) ? last : _refused.ToNs);
        }
    }

    /// <summary>On disk with, or behind, the traces before it. Not while a loss waits for room: the mark would say that it is there, too.</summary>
    public void CaughtUp(long wallNs)
    {
        if (_refused is null)
        {
            lane.CaughtUp(session, wallNs);
        }
    }

    public void Complete(SessionRecord ended, StatisticsRecord statistics)
    {
        Flush();
        if (_refused is { } loss)
        {
            _refused = null;
            lane.Tell(session, loss);
        }
    }

    public void Dispose()
    {
        // Nothing is held: the spool has its own owner.
    }
}
