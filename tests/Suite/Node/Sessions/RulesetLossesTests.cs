using System.Globalization;
using NftCluster.Node.Nftables;
using NftCluster.Node.Sessions;

namespace NftCluster.Tests.Node.Sessions;

/// <summary>Times are seconds, written as such; the session began at 100.</summary>
public sealed class RulesetLossesTests
{
    private const long Second = 1_000_000_000;

    private readonly RulesetLosses _losses = new(100 * Second, ns => (ns / (decimal)Second).ToString(CultureInfo.InvariantCulture));

    [Fact]
    public void Each_gap_has_an_interval_of_its_own()
    {
        _losses.Add([Gap(110, 111), Gap(120, 121)]);

        Assert.Equal([("ruleset-unread", 1, "110", "111"), ("ruleset-unread", 1, "120", "121")], Lost());
    }

    [Fact]
    public void Gaps_of_one_storm_are_one_record()
    {
        _losses.Add([Gap(110, 111), Gap(111.5m, 112), Gap(113, 113.1m)]);

        Assert.Equal([("ruleset-unread", 3, "110", "113.1")], Lost());
    }

    [Fact]
    public void Kinds_do_not_mix()
    {
        _losses.Add([Gap(110, 111), Gap(110, 111, RulesetGapKind.Unmarked), Gap(110, 111, RulesetGapKind.Unheard), Gap(110, 111, RulesetGapKind.Evicted)]);

        Assert.Equal(["ruleset-unread", "ruleset-unheard", "ruleset-evicted", "nft-unmarked"], Lost().Select(loss => loss.Stage), StringComparer.Ordinal);
    }

    [Fact]
    public void What_was_over_before_the_session_is_not_its_own_and_what_began_before_begins_with_it()
    {
        _losses.Add([Gap(80, 90), Gap(95, 105)]);

        Assert.Equal([("ruleset-unread", 1, "100", "105")], Lost());
    }

    [Fact]
    public void Their_number_is_bounded_and_the_nearest_become_one()
    {
        for (int i = 0; i < RulesetLosses.MostIntervals; i++)
        {
            _losses.Add([Gap(110 + 10 * i, 111 + 10 * i)]);
        }
        int last = 110 + 10 * RulesetLosses.MostIntervals;
        _losses.Add([Gap(last - 5, last - 4)]);

        (string Stage, long Count, string? From, string? To)[] lost = Lost();
        Assert.Equal(RulesetLosses.MostIntervals, lost.Length);
        Assert.Equal(RulesetLosses.MostIntervals + 1, lost.Sum(loss => loss.Count));
        Assert.Equal((2, $"{last - 10}", $"{last - 4}"), lost[^1] switch { var loss => (loss.Count, loss.From, loss.To) });
    }

    [Fact]
    public void Without_gaps_every_stage_is_listed_with_zero() => Assert.Equal(
        [("ruleset-unread", 0), ("ruleset-unheard", 0), ("ruleset-evicted", 0), ("nft-unmarked", 0)],
        RulesetLosses.None.Select(loss => (loss.Stage, loss.Count)));

    private (string Stage, long Count, string? From, string? To)[] Lost() =>
        [.. _losses.Records().Where(loss => loss.Count > 0).Select(loss => (loss.Stage, loss.Count, loss.From, loss.To))];

    private static RulesetGap Gap(decimal from, decimal to, RulesetGapKind kind = RulesetGapKind.Unread) =>
        new(kind, (long)(from * Second), (long)(to * Second), 1);
}
