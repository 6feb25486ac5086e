using NftCluster.Messages;
using NftCluster.Messages.Link;

namespace NftCluster.Node.Spool;

/// <summary>
/// What has come since the last write, as entries in the order of coming. When a write fails, traces become a count with a
/// time range per session; losses stay and are written first next time.
/// </summary>
internal sealed class SpoolBasket
{
    public const string Stage = "spool-write-failed";

    /// <summary>A batch compresses well from here on, and one frame stays far below any window.</summary>
    public const int TracesPerFrame = 512;

    /// <summary>Losses come once a second and session: a disk that is full for hours must not fill the memory.</summary>
    private const int MostLosses = 4_096;

    private readonly Dictionary<string, List<TraceRecord>> _traces = new(StringComparer.Ordinal);
    private readonly List<SpoolEntry> _entries = [];
    private readonly Dictionary<string, byte[]> _facts = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Loss> _unwritten = new(StringComparer.Ordinal);

    public int TraceCount { get; private set; }

    public bool IsEmpty => TraceCount == 0 && _entries.Count == 0 && _facts.Count == 0 && _unwritten.Count == 0;

    public IReadOnlyList<(string Name, byte[] Value)> Facts => [.. _facts.Select(f => (f.Key, f.Value))];

    public void Add(string session, TraceRecord[] traces)
    {
        if (!_traces.TryGetValue(session, out List<TraceRecord>? gathered))
        {
            _traces.Add(session, gathered = []);
        }
        gathered.AddRange(traces);
        TraceCount += traces.Length;
        while (gathered.Count >= TracesPerFrame)
        {
            Pack(session, gathered.GetRange(0, TracesPerFrame));
            gathered.RemoveRange(0, TracesPerFrame);
        }
    }

    public void Add(string session, IReadOnlyList<Loss> losses)
    {
        PackTraces();
        Losses all = new() { SessionId = session };
        all.Loss.AddRange(losses);
        if (_entries.Count < MostLosses)
        {
            _entries.Add(new SpoolEntry(SpoolKind.Losses, session, losses.Min(l => l.FromNs), losses.Max(l => l.ToNs), 0, DataFrame.Pack(new Payload { Losses = all })));
        }
    }

    public void Add(SessionReport report)
    {
        PackTraces();
        _entries.Add(new SpoolEntry(SpoolKind.Report, report.SessionId, report.AtNs, report.AtNs, 0, DataFrame.Pack(new Payload { Report = report })));
    }

    public void Keep(string name, byte[] value) => _facts[name] = value;

    public IReadOnlyList<SpoolEntry> Entries()
    {
        PackTraces();
        return [.. _unwritten.Select(l => Entry(l.Key, l.Value)), .. _entries];
    }

    /// <summary>All of it is on disk.</summary>
    public void Written()
    {
        _entries.Clear();
        _facts.Clear();
        _unwritten.Clear();
        TraceCount = 0;
    }

    /// <summary>Nothing of it is on disk.</summary>
    public void Failed()
    {
        PackTraces();
        foreach (SpoolEntry traces in _entries.Where(e => e.Kind == SpoolKind.Traces))
        {
            Count(traces);
        }
        _entries.RemoveAll(e => e.Kind is not SpoolKind.Losses);
        TraceCount = 0;
    }

    private void Count(SpoolEntry traces)
    {
        if (!_unwritten.TryGetValue(traces.Session, out Loss? loss))
        {
            _unwritten.Add(traces.Session, loss = new Loss { Stage = Stage, Kind = "traces", Count = 0, FromNs = traces.FromNs, ToNs = traces.ToNs });
        }
        loss.Count += (ulong)traces.Things;
        loss.FromNs = Math.Min(loss.FromNs, traces.FromNs);
        loss.ToNs = Math.Max(loss.ToNs, traces.ToNs);
    }

    private static SpoolEntry Entry(string session, Loss loss) => new(
        SpoolKind.Losses, session, loss.FromNs, loss.ToNs, 0, DataFrame.Pack(new Payload { Losses = new Losses { SessionId = session, Loss = { loss } } }));

    private void PackTraces()
    {
        foreach ((string session, List<TraceRecord> gathered) in _traces)
        {
            if (gathered.Count > 0)
            {
                Pack(session, gathered);
                gathered.Clear();
            }
        }
    }

    private void Pack(string session, List<TraceRecord> traces)
    {
        TraceBatch batch = TraceBatchCodec.Encode(session, traces);
        long from = batch.BaseNs + batch.Trace.Min(t => t.FirstSeenNs);
        long to = batch.BaseNs + batch.Trace.Max(t => t.FirstSeenNs + (long)t.DurationNs);
        _entries.Add(new SpoolEntry(SpoolKind.Traces, session, from, to, traces.Count, DataFrame.Pack(new Payload { Traces = batch })));
    }
}
