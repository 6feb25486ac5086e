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
internal sealed record JourneyPage(IReadOnlyList<JourneyRecord> Journeys, long? NextNs)
{
    /// <summary>One page of several sessions' pages that begin at the same place. Journeys of one time stay together, beyond the limit.</summary>
    public static JourneyPage Merge(IReadOnlyList<JourneyPage> pages, int limit, bool isOldestFirst)
    {
        JourneyRecord[] all = [.. pages.SelectMany(page => page.Journeys)];
        Array.Sort(all, (a, b) => string.CompareOrdinal(a.FirstSeen, b.FirstSeen) is var order && isOldestFirst ? order : -order);
        int count = Math.Min(limit, all.Length);
        while (count > 0 && count < all.Length && all[count].FirstSeen == all[count - 1].FirstSeen)
        {
            count++;
        }
        bool isMore = count < all.Length || pages.Any(page => page.NextNs is not null);
        return new JourneyPage(all[..count], isMore && count > 0 && TraceTime.TryParse(all[count - 1].FirstSeen, out long last) ? last : null);
    }
}

/// <summary>
/// Joins what is stored when somebody asks, window by window: nothing is kept that could differ from the traces, and what a node hands in
/// late from its spool is joined like the rest.
/// </summary>
internal sealed class JourneyQueries(Database database, TraceQueries traces, SessionScopes? scopes = null)
{
    /// <summary>Read beside the time that is asked for, so that no journey is cut.</summary>
    private const long MarginNs = 3_000_000_000;

    /// <summary>More is not joined at a time for those who watch.</summary>
    private const long MostChangedNs = 30_000_000_000;

    public async Task<JourneyPage> FindAsync(JourneyQuery query, IReadOnlyDictionary<string, string> names, CancellationToken cancellation)
    {
        IReadOnlyList<StoredLoss> losses = await traces.LossesAsync(query.Traces.SessionId, cancellation);
        return await Task.Run(() => Find(query, names, losses, cancellation), cancellation);
    }

    /// <summary>Every journey of the session, oldest first, one at a time in memory.</summary>
    public Task EachAsync(string sessionId, IReadOnlyDictionary<string, string> names, Action<JourneyRecord> take, CancellationToken cancellation) =>
        BetweenAsync(sessionId, long.MinValue, long.MaxValue, names, take, cancellation);

    /// <summary>Those that were first seen in this time (ns since 1970 on the controller's clock, ends included), oldest first.</summary>
    public async Task BetweenAsync(string sessionId, long fromNs, long toNs, IReadOnlyDictionary<string, string> names, Action<JourneyRecord> take, CancellationToken cancellation)
    {
        JourneyQuery all = new() { Traces = new TraceQuery { SessionId = sessionId, FromNs = fromNs, ToNs = toNs, OldestFirst = true, Limit = int.MaxValue } };
        IReadOnlyList<StoredLoss> losses = await traces.LossesAsync(sessionId, cancellation);
        await Task.Run(() => Walk(all, names, losses, journey =>
        {
            take(journey);
            return true;
        }, cancellation), cancellation);
    }

    /// <summary>What was stored of the session after that frame.</summary>
    public Task<IReadOnlyList<FrameSpan>> StoredBehindAsync(string sessionId, long frame, CancellationToken cancellation) => Task.Run<IReadOnlyList<FrameSpan>>(() =>
    {
        using HopQueries hops = new(database, sessionId);
        return hops.SpansBehind(frame);
    }, cancellation);

    /// <summary>The session is gone.</summary>
    public void Forget(string sessionId) => scopes?.Forget(sessionId);

    /// <summary>How many traces were seen in this time; frames that reach beyond it count in whole.</summary>
    public Task<long> TracesBetweenAsync(string sessionId, long fromNs, long toNs, CancellationToken cancellation) => Task.Run(() =>
    {
        using HopQueries hops = new(database, sessionId);
        return hops.Spans(fromNs, toNs).Sum(span => (long)span.Traces);
    }, cancellation);

    /// <summary>
    /// Those that may have changed by what was stored behind a frame; answers the last frame that was looked at. Of what is long past, a spool's rest, only the newest <see cref="MostChangedNs"/> are joined again.
    /// </summary>
    public async Task<long> ChangedAsync(string sessionId, long behindFrame, IReadOnlyDictionary<string, string> names, Action<JourneyRecord> take, CancellationToken cancellation)
    {
        IReadOnlyList<FrameSpan> fresh = await StoredBehindAsync(sessionId, behindFrame, cancellation);
        if (fresh.Count == 0)
        {
            return behindFrame;
        }
        long to = fresh.Max(span => span.LastNs);
        await BetweenAsync(sessionId, Math.Max(fresh.Min(span => span.FirstNs), to - MostChangedNs) - MarginNs, to + MarginNs, names, take, cancellation);
        return fresh.Max(span => span.Id);
    }

    /// <summary>The journey that this trace is a part of, with the next and the previous packet of its connection that went the other way; null where the trace is not.</summary>
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
            (IReadOnlyList<JourneyHops> journeys, _) = Join(hops, hops.Spans(at - MarginNs, at + MarginNs), new TraceQuery { SessionId = session });
            JourneyHops? journey = journeys.FirstOrDefault(one => one.Hops.Any(hop => hop.Id == id));
            return journey is null ? null : Writer(session, names, losses, journeys).Write(journey) with
            {
                NextReverse = OtherWay.Next(journey, journeys)?.ToString(),
                PreviousReverse = OtherWay.Previous(journey, journeys)?.ToString(),
            };
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
        (from, to) = isForward ? (Math.Max(from, query.AfterNs + 1 ?? from), to) : (from, Math.Min(to, query.AfterNs - 1 ?? to));
        JoinWindows windows = new(hops.Spans(Before(from), After(to)), MarginNs);
        while (windows.Next(from, to, isForward) is { } window)
        {
            (long begin, long end, IReadOnlyList<FrameSpan> frames) = window;
            cancellation.ThrowIfCancellationRequested();
            if (hops.MayMatch(frames, query.Traces.Parts) && !Window(hops, begin, end, frames))
            {
                return;
            }
            (from, to) = isForward ? (end + 1, to) : (from, begin - 1);
        }

        bool Window(HopQueries stored, long begin, long end, IReadOnlyList<FrameSpan> frames)
        {
            (IReadOnlyList<JourneyHops> journeys, HashSet<TraceId>? matches) = Join(stored, frames, query.Traces);
            JourneyWriter writer = Writer(query.Traces.SessionId, names, losses, journeys);
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

    private static long Before(long ns) => ns > long.MinValue + MarginNs ? ns - MarginNs : ns;

    private static long After(long ns) => ns < long.MaxValue - MarginNs ? ns + MarginNs : ns;

    /// <summary>With what all journeys of a window tell of each one.</summary>
    private JourneyWriter Writer(string session, IReadOnlyDictionary<string, string> names, IReadOnlyList<StoredLoss> losses, IReadOnlyList<JourneyHops> journeys)
    {
        ExpectedNext expected = new();
        expected.Learn(journeys);
        ClockPairs clocks = new();
        clocks.Learn(journeys);
        return new JourneyWriter(new JourneyFacts(session, names, losses, expected, clocks) { Scope = scopes?.Of(session) ?? SessionScope.Everything });
    }

    private static (IReadOnlyList<JourneyHops> Journeys, HashSet<TraceId>? Matches) Join(HopQueries stored, IReadOnlyList<FrameSpan> frames, TraceQuery search)
    {
        JourneyBuilder builder = new();
        HashSet<TraceId>? matches = search is { Parts.Count: 0, Values.Count: 0 } ? null : [];
        foreach (StoredHops frame in stored.Read(frames, search))
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
        return (builder.Build(), matches);
    }
}
