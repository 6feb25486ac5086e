namespace NftCluster.Node.Nftables;

/// <summary>What a verdict's rule is known to be.</summary>
internal enum BindingState
{
    /// <summary>Chain, and rule if there was one, as they were when they judged.</summary>
    Bound,

    /// <summary>The watcher has not yet heard of this time: ask again after the next <see cref="GenerationConfirmed"/>.</summary>
    Pending,

    /// <summary>A generation that may have judged was gone before it could be read, or this rule's text was in doubt.</summary>
    NotRead,

    /// <summary>Two generations may have judged, and the rule is not the same in both.</summary>
    Ambiguous,

    /// <summary>No generation that may have judged has such a rule.</summary>
    NoSuchRule,

    /// <summary>Before the watcher began, or too long ago.</summary>
    OutOfReach,
}

/// <summary>A verdict's rule. <see cref="Generation"/> is the newest that may have judged; the text is the same in all that may.</summary>
internal readonly record struct RuleBinding(BindingState State, uint? Generation, RulesetChain? Chain, RulesetRule? Rule)
{
    public bool IsBound => State == BindingState.Bound;

    public string? Text => Rule?.Text;

    public static RuleBinding Unknown(BindingState why) => new(why, null, null, null);

    public bool SameAs(in RuleBinding other) =>
        Text == other.Text && (ReferenceEquals(Chain!.Hook, other.Chain!.Hook) || Chain.Hook?.Same(other.Chain.Hook) == true);
}

