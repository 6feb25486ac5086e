namespace NftCluster.Node.Nftables;

/// <summary>One generation, or a run of unread ones, and the span of time in which it can have judged.</summary>
internal sealed class Reign(uint first, uint last, long earliestNs)
{
    public uint First { get; } = first;

    public uint Last { get; } = last;

    public long EarliestNs { get; } = earliestNs;

    public long EndNs { get; set; } = long.MaxValue;

    public Ruleset? Ruleset { get; set; }

    /// <summary>What was in force before anybody watched.</summary>
    public bool IsBeforeWatch { get; init; }

    public bool HasJudged { get; set; }

    /// <summary>Its gap was told.</summary>
    public bool IsNoted { get; set; }

    public bool IsGap => Ruleset is null && !IsBeforeWatch;

    public RuleBinding Find(in RulePlace place)
    {
        if (Ruleset is null)
        {
            return RuleBinding.Unknown(IsBeforeWatch ? BindingState.OutOfReach : BindingState.NotRead);
        }
        if (Ruleset.FindChain(place) is not { } chain)
        {
            return RuleBinding.Unknown(BindingState.NoSuchRule);
        }
        if (place.Handle == 0)
        {
            return new RuleBinding(BindingState.Bound, Ruleset.Generation, chain, null);
        }
        // A rule whose text could not be read is there all the same: it may have judged.
        return Ruleset.FindRule(place) is not { } rule ? RuleBinding.Unknown(BindingState.NoSuchRule)
            : rule.Text is null ? RuleBinding.Unknown(BindingState.NotRead)
            : new RuleBinding(BindingState.Bound, Ruleset.Generation, chain, rule);
    }
}
