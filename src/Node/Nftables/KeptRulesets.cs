namespace NftCluster.Node.Nftables;

/// <summary>The newest generations that were read while sessions with verdicts ran, so that a stored verdict's ruleset can be asked for. Bounded; the oldest go.</summary>
internal sealed class KeptRulesets
{
    public const int Most = 64;

    private readonly Queue<Ruleset> _rulesets = new();

    public void Keep(Ruleset ruleset)
    {
        _rulesets.Enqueue(ruleset);
        if (_rulesets.Count > Most)
        {
            _rulesets.Dequeue();
        }
    }

    public Ruleset? Find(uint generation) => _rulesets.LastOrDefault(ruleset => ruleset.Generation == generation);
}
