using System.Globalization;
using System.Text.RegularExpressions;

namespace NftCluster.Node.Nftables.Changes;

/// <summary>What takes a change of one rule back without touching anything else.</summary>
internal static partial class UndoPlanner
{
    /// <summary>Null where only whole tables can be put back. <paramref name="echo"/> is what nft printed while it made the change, with handles.</summary>
    public static RuleUndo? For(ChangePlan plan, Ruleset before, Ruleset withCounters, Ruleset after, string echo)
    {
        if (plan.Place is not { } place || before.FindChain(place) is not { } chain)
        {
            return null;
        }
        if (plan.Action == ChangeAction.Delete)
        {
            return ForDeleted(chain, place, withCounters, after);
        }
        if (HandleIn(echo) is not { } handle || after.FindRule(place with { Handle = handle })?.Text is not { } text)
        {
            return null;
        }
        ExpectedRule now = Expect(place with { Handle = handle }, text);
        if (plan.Action != ChangeAction.Replace)
        {
            return new RuleUndo($"delete rule {chain} handle {handle}", [now]);
        }
        return withCounters.FindRule(place)?.Text is { } old ? new RuleUndo($"replace rule {chain} handle {handle} {old}", [now]) : null;
    }

    private static RuleUndo? ForDeleted(RulesetChain chain, RulePlace place, Ruleset withCounters, Ruleset after)
    {
        if (withCounters.FindRule(place) is not { Text: { } text } rule)
        {
            return null;
        }
        // Behind its predecessor, else before its successor, else alone.
        RulesetRule? previous = chain.Rules.ElementAtOrDefault(rule.Position - 1);
        RulesetRule? next = chain.Rules.ElementAtOrDefault(rule.Position + 1);
        (string verb, RulesetRule? anchor) = previous is not null ? ("add", previous) : ("insert", next);
        if (anchor is null)
        {
            return new RuleUndo($"add rule {chain} {text}", []);
        }
        return after.FindRule(place with { Handle = anchor.Handle })?.Text is { } anchorText
            ? new RuleUndo($"{verb} rule {chain} position {anchor.Handle} {text}", [Expect(place with { Handle = anchor.Handle }, anchorText)])
            : null;
    }

    private static ExpectedRule Expect(in RulePlace place, string text) => new(NftNames.Of(place.Family), place.Table, place.Chain, place.Handle, text);

    private static ulong? HandleIn(string echo) =>
        LastHandle().Match(echo) is { Success: true } match ? ulong.Parse(match.Groups["handle"].Value, CultureInfo.InvariantCulture) : null;

    [GeneratedRegex(@"# handle (?<handle>\d+)$", RegexOptions.ExplicitCapture | RegexOptions.RightToLeft | RegexOptions.Multiline, matchTimeoutMilliseconds: 1_000)]
    private static partial Regex LastHandle();
}
