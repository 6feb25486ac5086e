namespace NftCluster.Node.Nftables;

/// <summary>The bounds of a <see cref="RulesetHistory"/>.</summary>
internal sealed record RulesetHistoryOptions
{
    /// <summary>
    /// A packet inside a chain when the generation changes is judged to its end by the old one: so long after a change, both may have judged.
    /// Far longer than any chain takes, because a virtual CPU may stand still in the middle.
    /// </summary>
    public long InFlightNs { get; init; } = 500_000;

    /// <summary>How long a generation that is over waits for verdicts that are still under way to us.</summary>
    public long LingerNs { get; init; } = 10_000_000_000;

    /// <summary>Generations (or runs of unread ones) that are kept at most.</summary>
    public int MaxKept { get; init; } = 1_024;
}

/// <summary>
/// Which generation judged: fed with facts, asked with a verdict's place and time. It answers with a text only where every generation
/// that can have been in force at that time and has this rule at all has it with this text.
/// <code>
///        asked: still G        G+1 announced
/// ──G──────────|────────?────────────|──in flight──|────G+1───
///              └ G+1 at the earliest └ at the latest
/// </code>
/// The kernel counts the generation up before the new rules are in effect, so "still G" when asked is a safe lower bound.
/// </summary>
internal sealed class RulesetHistory(RulesetHistoryOptions options)
{
    /// <summary>A read is told by another thread than announcements: it may come after a few of them.</summary>
    private const int NewestKeptApart = 8;

    private readonly List<Reign> _reigns = [];
    private readonly List<RulesetGap> _gaps = [];
    private long _latestBeginNs = long.MinValue;
    private long _reachNs = long.MinValue;

    public RulesetHistory()
        : this(new RulesetHistoryOptions())
    {
    }

    /// <summary>Verdicts up to here can be bound.</summary>
    public long KnownUntilNs { get; private set; } = long.MinValue;

    /// <summary>The newest generation heard of.</summary>
    public uint? Generation => _reigns.Count == 0 ? null : _reigns[^1].Last;

    /// <summary>The newest generation that was read.</summary>
    public Ruleset? Current { get; private set; }

    public int Kept => _reigns.Count;

    /// <summary>The watcher has failed: nothing later than <see cref="KnownUntilNs"/> will ever be known.</summary>
    public bool IsBlind { get; private set; }

    /// <summary>Generations that began while this history watched.</summary>
    public long Changes { get; private set; }

    public void Apply(RulesetFact fact)
    {
        switch (fact)
        {
            case GenerationSeen seen:
                Begin(seen.Generation, seen.ReceivedNs);
                break;
            case GenerationConfirmed confirmed:
                Confirm(confirmed.Generation, confirmed.AskedNs, confirmed.AnsweredNs);
                break;
            case RulesetRead read:
                Confirm(read.Ruleset.Generation, read.AskedNs, read.AnsweredNs);
                Keep(read.Ruleset);
                break;
            case AnnouncementsLost lost:
                // The next confirmation shows how many generations are missing.
                _gaps.Add(new RulesetGap(RulesetGapKind.Unheard, KnownUntilNs, lost.ReceivedNs, lost.Messages));
                break;
            case TracingRearmed armed:
                _gaps.Add(new RulesetGap(RulesetGapKind.Unmarked, armed.FromNs, armed.ToNs, 1));
                break;
            case WatchFailed:
                IsBlind = true;
                break;
        }
    }

    /// <summary>
    /// False while more may become known of this time: nobody has yet asked which generation was in force, or that is still the
    /// newest and its reading, which takes some milliseconds, has not come.
    /// </summary>
    public bool IsSettled(long timeNs) => timeNs <= KnownUntilNs && (_reigns[^1].Ruleset is not null || timeNs < _reigns[^1].EarliestNs);

    /// <summary>What judged at this time at this place; a place without a handle asks for the chain only (its policy, its end).</summary>
    public RuleBinding Bind(in RulePlace place, long timeNs)
    {
        if (timeNs > KnownUntilNs || timeNs < _reachNs)
        {
            return RuleBinding.Unknown(timeNs > KnownUntilNs ? BindingState.Pending : BindingState.OutOfReach);
        }
        var found = RuleBinding.Unknown(BindingState.OutOfReach);
        Reign? judge = null;
        for (int i = _reigns.Count - 1; i >= 0 && _reigns[i].EndNs >= timeNs; i--)
        {
            if (_reigns[i].EarliestNs > timeNs)
            {
                continue;
            }
            RuleBinding here = _reigns[i].Find(place);
            if (here.State is BindingState.NotRead or BindingState.OutOfReach)
            {
                return here;
            }
            if (here.IsBound && judge is not null && !here.SameAs(found))
            {
                return RuleBinding.Unknown(BindingState.Ambiguous);
            }
            // A generation without this rule cannot have judged with it.
            if (judge is null)
            {
                found = here;
                judge = here.IsBound ? _reigns[i] : null;
            }
        }
        judge?.HasJudged = true;
        return found;
    }

    /// <summary>A generation that judged, or the newest; null when it was given up.</summary>
    public Ruleset? Find(uint generation) =>
        Current?.Generation == generation ? Current : _reigns.Find(reign => reign.Ruleset?.Generation == generation)?.Ruleset;

    /// <summary>Drops what is over for so long that no verdict of it is under way any more, except what has judged.</summary>
    public void Forget(long nowNs)
    {
        _reachNs = Math.Max(_reachNs, nowNs - options.LingerNs);
        foreach (Reign reign in _reigns)
        {
            NoteGap(reign, _reachNs);
        }
        _reigns.RemoveAll(reign => reign.EndNs < _reachNs && !reign.HasJudged);
    }

    /// <summary>The gaps that ended before this time, each told once. Give a read a moment: it is told by another thread.</summary>
    public IReadOnlyList<RulesetGap> TakeGaps(long beforeNs)
    {
        foreach (Reign reign in _reigns)
        {
            NoteGap(reign, beforeNs);
        }
        RulesetGap[] gaps = [.. _gaps];
        _gaps.Clear();
        return gaps;
    }

    /// <summary>What is still to tell when nothing more is asked: the gaps that have ended, and the one since the watcher failed.</summary>
    public IReadOnlyList<RulesetGap> TakeLast(long nowNs) => IsBlind
        ? [.. TakeGaps(long.MaxValue), new RulesetGap(RulesetGapKind.Unread, KnownUntilNs, nowNs, 1)]
        : TakeGaps(long.MaxValue);

    private void Confirm(uint generation, long askedNs, long answeredNs)
    {
        Begin(generation, answeredNs);
        // An answer older than what was announced meanwhile proves nothing about later.
        if (generation == Generation)
        {
            KnownUntilNs = Math.Max(KnownUntilNs, askedNs);
        }
    }

    private void Begin(uint generation, long latestNs)
    {
        if (_reigns.Count == 0)
        {
            // Whatever was in force before has judged up to now, and was never read.
            _reigns.Add(new Reign(generation, generation, long.MinValue) { IsBeforeWatch = true });
            Follow(new Reign(generation, generation, latestNs), latestNs);
            return;
        }
        uint last = _reigns[^1].Last;
        if (!Ruleset.IsNewer(generation, last))
        {
            return;
        }
        Changes += generation - last;
        if (generation - last > 1)
        {
            Follow(new Reign(last + 1, generation - 1, KnownUntilNs), latestNs);
        }
        Follow(new Reign(generation, generation, KnownUntilNs), latestNs);
        MergeGaps();
        if (_reigns.Count > options.MaxKept)
        {
            Evict();
        }
    }

    /// <summary>The one before may have judged until the new one was in force for sure, and packets under way a little longer.</summary>
    private void Follow(Reign next, long latestNs)
    {
        _latestBeginNs = Math.Max(_latestBeginNs, latestNs); // two threads tell: their times may cross by a little
        _reigns[^1].EndNs = _latestBeginNs + options.InFlightNs;
        _reigns.Add(next);
    }

    private void Keep(Ruleset ruleset)
    {
        Reign? reign = _reigns.FindLast(reign => !reign.IsBeforeWatch && reign.First == ruleset.Generation && reign.Last == ruleset.Generation);
        reign?.Ruleset = ruleset;
        if (Current is null || Ruleset.IsNewer(ruleset.Generation, Current.Generation))
        {
            Current = ruleset;
        }
    }

    /// <summary>Neighbours that nobody read answer alike: a thousand reloads a second become one entry.</summary>
    private void MergeGaps()
    {
        int i = _reigns.Count - NewestKeptApart;
        if (i > 0 && _reigns[i] is { IsGap: true, IsNoted: false } second && _reigns[i - 1] is { IsGap: true, IsNoted: false } first)
        {
            _reigns[i - 1] = new Reign(first.First, second.Last, first.EarliestNs) { EndNs = second.EndNs };
            _reigns.RemoveAt(i);
        }
    }

    private void Evict()
    {
        Reign oldest = _reigns[0];
        NoteGap(oldest, long.MaxValue);
        if (oldest.HasJudged)
        {
            _gaps.Add(new RulesetGap(RulesetGapKind.Evicted, oldest.EarliestNs, oldest.EndNs, 1));
        }
        _reachNs = Math.Max(_reachNs, oldest.EndNs);
        _reigns.RemoveAt(0);
    }

    private void NoteGap(Reign reign, long beforeNs)
    {
        if (reign is { IsGap: true, IsNoted: false } && reign.EndNs < beforeNs)
        {
            reign.IsNoted = true;
            _gaps.Add(new RulesetGap(RulesetGapKind.Unread, reign.EarliestNs, reign.EndNs, reign.Last - reign.First + 1));
        }
    }
}
