using NftCluster.Node.Nftables;

namespace NftCluster.Tests.Node.Nftables;

/// <summary>Times are microseconds from a start, so that the pictures are short: generation 1 is read and confirmed at 0.</summary>
public sealed class RulesetHistoryTests
{
    private const long InFlightUs = 500;
    private static readonly RulePlace _rule = new(NftFamily.Inet, "filter", "input", 7);

    [Fact]
    public void A_verdict_carries_the_text_that_held_at_its_time()
    {
        RulesetHistory history = Watched("first");
        Reload(history, 2, 10_000, "second");

        Assert.Equal("first", history.Bind(_rule, Us(5_000)).Text);
        RuleBinding later = history.Bind(_rule, Us(10_600));
        Assert.Equal(("second", 2u), (later.Text, later.Generation));
    }

    [Fact]
    public void A_time_the_watcher_has_not_heard_of_is_pending()
    {
        RulesetHistory history = Watched("first");

        Assert.Equal(BindingState.Pending, history.Bind(_rule, Us(101)).State);
    }

    [Fact]
    public void Between_the_last_question_and_the_announcement_either_may_have_judged()
    {
        RulesetHistory history = Watched("first");
        Reload(history, 2, 10_000, "second");

        Assert.Equal("first", history.Bind(_rule, Us(8_999)).Text);
        Assert.Equal(BindingState.Ambiguous, history.Bind(_rule, Us(9_500)).State);
        Assert.Equal(BindingState.Ambiguous, history.Bind(_rule, Us(10_000 + InFlightUs)).State);
        Assert.Equal("second", history.Bind(_rule, Us(10_001 + InFlightUs)).Text);
    }

    [Fact]
    public void A_text_that_is_the_same_in_both_is_carried_in_the_window_too()
    {
        RulesetHistory history = Watched("same");
        Reload(history, 2, 10_000, "same");

        Assert.Equal(("same", 2u), (history.Bind(_rule, Us(9_999)).Text, history.Bind(_rule, Us(9_999)).Generation));
    }

    [Fact]
    public void A_generation_without_the_rule_cannot_have_judged_with_it()
    {
        RulesetHistory history = Watched("old");
        Tell(history, Read(2, 8, "new"), 10_000);

        Assert.Equal(("old", 1u), (history.Bind(_rule, Us(9_999)).Text, history.Bind(_rule, Us(9_999)).Generation));
        Assert.Equal("new", history.Bind(_rule with { Handle = 8 }, Us(9_999)).Text);
        Assert.Equal(BindingState.NoSuchRule, history.Bind(_rule with { Handle = 9 }, Us(9_999)).State);
    }

    [Fact]
    public void A_generation_that_nobody_read_stays_unknown_and_is_a_gap()
    {
        RulesetHistory history = Watched("first");
        history.Apply(new GenerationSeen(2, Us(10_000), 1, "nft"));
        history.Apply(new GenerationConfirmed(2, Us(10_100), Us(10_101)));
        Reload(history, 3, 20_000, "third");

        Assert.Equal(BindingState.NotRead, history.Bind(_rule, Us(15_000)).State);
        Assert.Equal("third", history.Bind(_rule, Us(20_600)).Text);
        RulesetGap gap = Assert.Single(history.TakeGaps(Us(30_000)));
        Assert.Equal(new RulesetGap(RulesetGapKind.Unread, Us(100), Us(20_000 + InFlightUs), 1), gap);
        Assert.Empty(history.TakeGaps(Us(30_000)));
    }

    [Fact]
    public void A_time_is_settled_when_its_generation_was_read_or_is_over()
    {
        RulesetHistory history = Watched("first");
        Assert.Equal((true, false), (history.IsSettled(Us(90)), history.IsSettled(Us(101))));

        history.Apply(new GenerationSeen(2, Us(10_000), 1, "nft"));
        history.Apply(new GenerationConfirmed(2, Us(15_000), Us(15_001)));
        Assert.Equal((true, false), (history.IsSettled(Us(90)), history.IsSettled(Us(12_000))));

        history.Apply(new GenerationSeen(3, Us(20_000), 1, "nft"));
        history.Apply(new GenerationConfirmed(3, Us(25_000), Us(25_001)));
        Assert.Equal((true, false), (history.IsSettled(Us(12_000)), history.IsSettled(Us(24_000))));

        history.Apply(Read(3, 7, "third", 26_000));
        Assert.True(history.IsSettled(Us(24_000)));
    }

    [Fact]
    public void Announcements_that_the_kernel_dropped_are_found_by_their_numbers()
    {
        RulesetHistory history = Watched("first");
        history.Apply(new AnnouncementsLost(Us(10_000), 3));
        history.Apply(new GenerationConfirmed(5, Us(10_001), Us(10_002)));
        history.Apply(Read(5, 7, "fifth", 11_000));

        Assert.Equal((4L, 5u), (history.Changes, history.Generation));
        Assert.Equal(BindingState.NotRead, history.Bind(_rule, Us(10_001)).State);
        Assert.Equal("fifth", history.Bind(_rule, Us(10_600)).Text);
        Assert.Equal(
            [new RulesetGap(RulesetGapKind.Unheard, Us(100), Us(10_000), 3), new RulesetGap(RulesetGapKind.Unread, Us(100), Us(10_002 + InFlightUs), 3)],
            history.TakeGaps(Us(30_000)));
    }

    [Fact]
    public void A_read_that_is_told_late_still_reaches_its_generation()
    {
        RulesetHistory history = Watched("first");
        history.Apply(new GenerationSeen(2, Us(10_000), 1, "nft"));
        history.Apply(new GenerationSeen(3, Us(12_000), 1, "nft"));
        history.Apply(new GenerationConfirmed(3, Us(12_100), Us(12_101)));
        history.Apply(Read(2, 7, "second", 11_000));
        history.Apply(Read(3, 7, "third", 13_000));

        Assert.Equal("third", history.Bind(_rule, Us(12_600)).Text);
        Assert.Equal(3u, history.Current!.Generation);
    }

    [Fact]
    public void Before_the_watch_nothing_is_known()
    {
        RulesetHistory history = Watched("first");

        Assert.Equal(BindingState.OutOfReach, history.Bind(_rule, Us(-1)).State);
    }

    [Fact]
    public void A_text_in_doubt_is_never_replaced_by_another_generations()
    {
        RulesetHistory history = Watched("first");
        Reload(history, 2, 10_000, text: null);

        Assert.Equal(BindingState.NotRead, history.Bind(_rule, Us(9_999)).State);
    }

    [Fact]
    public void A_chains_policy_is_bound_without_a_handle()
    {
        RulesetHistory history = Watched("first");

        RuleBinding policy = history.Bind(_rule with { Handle = 0 }, Us(90));

        Assert.Equal((BindingState.Bound, "input", -5), (policy.State, policy.Chain!.Hook!.Hook, policy.Chain.Hook.Priority));
    }

    [Fact]
    public void Only_generations_that_judged_are_kept_for_good()
    {
        RulesetHistory history = Watched("1");
        for (uint generation = 2; generation <= 10; generation++)
        {
            Reload(history, generation, generation * 10_000, $"{generation}");
        }
        Assert.Equal("5", history.Bind(_rule, Us(55_000)).Text);

        history.Forget(Us(60_000_000));

        Assert.Equal(2, history.Kept);
        Assert.NotNull(history.Find(5));
        Assert.Null(history.Find(6));
        Assert.NotNull(history.Find(10));
        Assert.Equal(BindingState.OutOfReach, history.Bind(_rule, Us(65_000)).State);
    }

    [Fact]
    public void A_thousand_unread_reloads_take_a_handful_of_entries_and_are_all_in_the_gaps()
    {
        RulesetHistory history = Watched("first");
        for (uint generation = 2; generation <= 5_001; generation++)
        {
            history.Apply(new GenerationSeen(generation, Us(generation * 1_000L), 1, "nft"));
            history.Apply(new GenerationConfirmed(generation, Us(generation * 1_000L + 10), Us(generation * 1_000L + 20)));
        }
        Reload(history, 5_002, 5_002_000, "last");

        Assert.InRange(history.Kept, 3, 20);
        Assert.Equal(BindingState.NotRead, history.Bind(_rule, Us(2_500_000)).State);
        Assert.Equal(5_000, history.TakeGaps(Us(9_000_000)).Sum(gap => gap.Count));
        Assert.Equal("last", history.Bind(_rule, Us(5_002_600)).Text);
    }

    [Fact]
    public void Beyond_its_bound_the_oldest_goes_and_is_counted_when_it_judged()
    {
        RulesetHistory history = Watched("1", new RulesetHistoryOptions { MaxKept = 4 });
        Assert.Equal("1", history.Bind(_rule, Us(50)).Text);
        for (uint generation = 2; generation <= 10; generation++)
        {
            Reload(history, generation, generation * 10_000, $"{generation}");
        }

        Assert.Equal(4, history.Kept);
        RulesetGap gap = Assert.Single(history.TakeGaps(Us(95_000)));
        Assert.Equal((RulesetGapKind.Evicted, 1), (gap.Kind, gap.Count));
        Assert.Equal(BindingState.OutOfReach, history.Bind(_rule, Us(50)).State);
    }

    [Fact]
    public void Chains_that_were_not_traced_yet_are_a_gap_of_their_own()
    {
        RulesetHistory history = Watched("1");

        history.Apply(new TracingRearmed(Us(10), Us(90)));

        Assert.Equal(new RulesetGap(RulesetGapKind.Unmarked, Us(10), Us(90), 1), Assert.Single(history.TakeGaps(0)));
    }

    [Fact]
    public void After_the_watcher_failed_the_rest_is_one_gap()
    {
        RulesetHistory history = Watched("1");

        history.Apply(new WatchFailed(new IOException("gone")));

        Assert.Empty(history.TakeGaps(Us(50_000)));
        Assert.Equal(new RulesetGap(RulesetGapKind.Unread, Us(100), Us(60_000), 1), Assert.Single(history.TakeLast(Us(60_000))));
    }

    [Fact]
    public void Generation_numbers_wrap_around()
    {
        RulesetHistory history = new();
        history.Apply(Read(uint.MaxValue, 7, "last", 0));
        history.Apply(Read(0, 7, "wrapped", 10_000));

        Assert.Equal((0u, 1L), (history.Generation, history.Changes));
    }

    private static long Us(long microseconds) => microseconds * 1_000;

    private static RulesetHistory Watched(string text, RulesetHistoryOptions? options = null)
    {
        RulesetHistory history = new(options ?? new RulesetHistoryOptions { InFlightNs = Us(InFlightUs) });
        history.Apply(new GenerationConfirmed(1, Us(-501), Us(-500)));
        history.Apply(Read(1, 7, text, 0));
        history.Apply(new GenerationConfirmed(1, Us(100), Us(101)));
        return history;
    }

    private static void Reload(RulesetHistory history, uint generation, long atUs, string? text) => Tell(history, Read(generation, 7, text, atUs + 700), atUs);

    /// <summary>Asked a last time 1,000 µs before, announced, and read 700 µs later.</summary>
    private static void Tell(RulesetHistory history, RulesetRead read, long atUs)
    {
        history.Apply(new GenerationConfirmed(history.Generation!.Value, Us(atUs - 1_000), Us(atUs - 999)));
        history.Apply(new GenerationSeen(read.Ruleset.Generation, Us(atUs), 1, "nft"));
        history.Apply(read with { AskedNs = Us(atUs + 700), AnsweredNs = Us(atUs + 701) });
    }

    private static RulesetRead Read(uint generation, ulong handle, string? text, long atUs = 0)
    {
        RulesetTable table = new(NftFamily.Inet, "filter", 1, 0, 0, null);
        RulesetChain chain = new(table, "input", 1, new ChainHook("filter", "input", -5, "accept", []), null, [new RulesetRule(handle, 0, text, null)]);
        return new RulesetRead(new Ruleset(generation, [table], [chain]), Us(atUs), Us(atUs + 1));
    }
}
