namespace NftCluster.Node.Nftables;

/// <summary>
/// The ruleset that nft's trace was switched on for last, and until when it was certainly in force: chains that a later reading shows
/// can have judged since then without being traced.
/// </summary>
internal sealed class FollowedRuleset
{
    private uint? _generation;

    /// <summary>Null before the first one: nobody waits for verdicts yet.</summary>
    public long? SinceNs { get; private set; }

    public void Apply(RulesetFact fact)
    {
        if (fact is GenerationConfirmed confirmed && confirmed.Generation == _generation)
        {
            SinceNs = Math.Max(SinceNs ?? long.MinValue, confirmed.AskedNs);
        }
    }

    /// <summary>From now on this one is followed, also where nothing had to be done for it.</summary>
    public void Follow(uint generation, long readAskedNs)
    {
        _generation = generation;
        SinceNs = readAskedNs;
    }
}
