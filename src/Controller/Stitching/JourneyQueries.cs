using NftCluster.Controller.Storage;
using NftCluster.Messages;

namespace NftCluster.Controller.Stitching;

/// <summary>A search in the journeys of one session: one of a journey's traces passes the search of traces, and the journey the rest.</summary>
internal sealed record JourneyQuery
{
    /// <summary>Its limit, order and times are the journeys'; its cursor is not used.</summary>
    public required TraceQuery Traces { get; init; }

    public IReadOnlyList<string> Outcomes { get; init; } = [];

    /// <summary>exact, nat, content or ambiguous.</summary>
    public IReadOnlyList<string> Joins { get; init; } = [];

    /// <summary>Nodes' names, joined by ">", as far as it goes.</summary>
    public string? Path { get; init; }

    public long? LatencyOverNs { get; init; }

    public bool? Complete { get; init; }

    /// <summary>Where the page before ended: the last journey's time.</summary>
    public long? AfterNs { get; init; }

    public bool Passes(JourneyRecord journey) =>
        (Outcomes.Count == 0 || Outcomes.Any(outcome => journey.Outcome == outcome || (outcome == "dropped" && journey.Outcome.StartsWith("dropped:", StringComparison.Ordinal))))
        && (Joins.Count == 0 || Joins.Any(kind => kind == "ambiguous" ? journey.Ambiguous.Count > 0 : journey.Hops.Any(hop => hop.Join?.Kind == kind)))
        && (Path is null || string.Join('>', journey.Path) is var path && (path == Path || path.StartsWith(Path + ">", StringComparison.Ordinal)))
        && (LatencyOverNs is not { } least || journey.LatencyNs > least)
        && (Complete is not { } complete || journey.Complete == complete);
}

/// <summary>The next page begins where the last journey of this one was first seen; null = there is none.</summary>
internal sealed record JourneyPage(IReadOnlyList<JourneyRecord> Journeys, long? NextNs);

/// <summary>
/// Joins what is stored when somebody asks, window by window: nothing is kept that could differ from the traces, and what a node hands in
/// late from its spool is joined like the rest.
/// </summary>
internal sealed class JourneyQueries(Database database, TraceQueries traces)
{
    /// <summary>Journeys that begin in so much time are made at once.</summary>
    private const long StepNs = 2_000_000_000;

    /// <summary>Beside it, so that no journey is cut.</summary>
    private const long MarginNs = 3_000_000_000;

    public async Task<JourneyPage> FindAsync(JourneyQuery query, IReadOnlyDictionary<string, string> names, CancellationToken cancellation)
    {
        IReadOnlyList<StoredLoss> losses = await traces.LossesAsync(query.Traces.SessionId, cancellation);
        return await Task.Run(() => Find(query, names, losses, cancellation), cancellation);
    }

    /// <summary>The journey that this trace is a part of; null where the trace is not.</summary>
    public async Task<JourneyRecord?> GetAsync(TraceId id, IReadOnlyDictionary<string, string> names, CancellationToken cancellation)
    {
        if (HopQueries.SessionOf(database, id) is not { Length: > 0 } session)
        {
            return null;
        }
        IReadOnlyList<StoredLoss> losses = await traces.LossesAsync(session, cancellation);
        return await Task.Run(() =>
        {
            using HopQueries hops = new(database, session);
            if (hops.TimeOf(id) is not { } at)
            {
                return null;
            }
            (IReadOnlyList<JourneyHops> journeys, ExpectedNext expected, _) = Join(hops, at - MarginNs, at + MarginNs, []);
            JourneyHops? journey = journeys.FirstOrDefault(one => one.Hops.Any(hop => hop.Id == id));
            return journey is null ? null : new JourneyWriter(new JourneyFacts(session, names, losses, expected)).Write(journey);
        }, cancellation);
    }

    /// <summary>Every way that packets of the session took, with their numbers; most packets first.</summary>
    public async Task<IReadOnlyList<PathRecord>> PathsAsync(TraceQuery query, IReadOnlyDictionary<string, string> names, CancellationToken cancellation)
    {
        PathSum sum = new();
        JourneyQuery all = new() { Traces = query with { OldestFirst = true, Limit = int.MaxValue } };
        IReadOnlyList<StoredLoss> losses = await traces.LossesAsync(query.SessionId, cancellation);
        await Task.Run(() => Walk(all, names, losses, sum.Add, cancellation), cancellation);
        return sum.Records();
    }

    private JourneyPage Find(JourneyQuery query, IReadOnlyDictionary<string, string> names, IReadOnlyList<StoredLoss> losses, CancellationToken cancellation)
    {
        List<JourneyRecord> page = [];
        long? next = null;
        Walk(query, names, losses, journey =>
        {
            // Those of one time stay together, beyond the limit: the next page begins behind that time.
            if (page.Count >= query.Traces.Limit && journey.FirstSeen != page[^1].FirstSeen)
            {
                _ = TraceTime.TryParse(page[^1].FirstSeen, out long last);
                next = last;
                return false;
            }
            page.Add(journey);
            return true;
        }, cancellation);
        return new JourneyPage(page, next);
    }

    /// <summary>In the order that is asked for, until the taker has enough.</summary>
    private void Walk(JourneyQuery query, IReadOnlyDictionary<string, string> names, IReadOnlyList<StoredLoss> losses, Func<JourneyRecord, bool> take, CancellationToken cancellation)
    {
        using HopQueries hops = new(database, query.Traces.SessionId);
        bool isForward = query.Traces.OldestFirst;
        (long from, long to) = (query.Traces.FromNs, query.Traces.ToNs);
        long? at = isForward ? Math.Max(from, query.AfterNs + 1 ?? from) : Math.Min(to, query.AfterNs - 1 ?? to);
        while ((at = hops.Next(at.Value, isForward)) is { } edge && (isForward ? edge <= to : edge >= from))
        {
            cancellation.ThrowIfCancellationRequested();
            (long begin, long end) = isForward ? (edge, Math.Min(to, edge + StepNs)) : (Math.Max(from, edge - StepNs), edge);
            if (hops.MayMatch(begin - MarginNs, end + MarginNs, query.Traces.Parts) && !Window(hops, begin, end))
            {
                return;
            }
            at = isForward ? end + 1 : begin - 1;
        }

        bool Window(HopQueries stored, long begin, long end)
        {
            (IReadOnlyList<JourneyHops> journeys, ExpectedNext expected, HashSet<TraceId>? matches) = Join(stored, begin - MarginNs, end + MarginNs, query.Traces.Parts);
            JourneyWriter writer = new(new JourneyFacts(query.Traces.SessionId, names, losses, expected));
            foreach (JourneyHops journey in isForward ? journeys : journeys.Reverse())
            {
                if (journey.Hops[0].InNs < begin || journey.Hops[0].InNs > end || (matches is not null && !journey.Hops.Any(hop => matches.Contains(hop.Id)))
                    || (query.Traces.Nodes.Count > 0 && !journey.Hops.Any(hop => query.Traces.Nodes.Contains(hop.Node, StringComparer.Ordinal))))
                {
                    continue;
                }
                if (writer.Write(journey) is var record && query.Passes(record) && !take(record))
                {
                    return false;
                }
            }
            return true;
        }
    }

    private static (IReadOnlyList<JourneyHops> Journeys, ExpectedNext Expected, HashSet<TraceId>? Matches) Join(HopQueries stored, long fromNs, long toNs, IReadOnlyList<QueryPart> parts)
    {
        JourneyBuilder builder = new();
        HashSet<TraceId>? matches = parts.Count == 0 ? null : [];
        foreach (StoredHops frame in stored.Between(fromNs, toNs, parts))
        {
            foreach (Hop hop in new HopReader(frame).Read())
            {
                builder.Add(hop);
                if (frame.Matches?.Contains(hop.Id.Index) == true)
                {
                    matches!.Add(hop.Id);
                }
            }
        }
        IReadOnlyList<JourneyHops> journeys = builder.Build();
        ExpectedNext expected = new();
        expected.Learn(journeys);
        return (journeys, expected, matches);
    }
}
