using NftCluster.Node.Pipeline;

namespace NftCluster.Tests.Node.Pipeline;

/// <summary>nft's verdicts find their packet's visit, or stand for themselves.</summary>
public sealed class NftVerdictTests
{
    private const int Accept = 1;
    private const int Drop = 0;
    private const int Jump = -3;

    private readonly EventScript _script = new();
    private readonly Skb _skb = new(0xffff_8880_0001_0000, Frames.Udp4());

    [Fact]
    public void Verdicts_stand_in_the_trace_of_their_packet_in_order()
    {
        _script.Receive(_skb)
            .Nft(_skb, NftMessages.Rule(7, 4, Jump, target: "more"))
            .Nft(_skb, NftMessages.Return(7, "more"))
            .Nft(_skb, NftMessages.Policy(7, Accept))
            .Queue(_skb).Xmit(_skb);

        ClosedTrace trace = Assert.Single(TrackerRig.Traces(_script));

        Assert.Equal(3, trace.Events.Count);
        Assert.Equal(
            [("filter", "forward", 4UL, Jump, "more", NftTraceType.Rule), ("filter", "more", 0UL, -1, null, NftTraceType.Return), ("filter", "forward", 0UL, Accept, null, NftTraceType.Policy)],
            trace.NftVerdicts.Select(v => (v.Table, v.Chain, v.RuleHandle, v.Code, v.JumpTarget, v.Type)));
    }

    [Fact]
    public void A_packet_that_a_rule_dropped_is_dropped_once_its_end_is_seen()
    {
        _script.Receive(_skb).Nft(_skb, NftMessages.Rule(7, 4, Drop)).Drop(_skb);

        ClosedTrace trace = Assert.Single(TrackerRig.Traces(_script));

        Assert.Equal((Verdict.Dropped, TraceEnd.Ended, true), (trace.Verdict, trace.End, Assert.Single(trace.NftVerdicts).IsDrop));
    }

    [Fact]
    public void The_same_message_twice_within_the_window_is_one_verdict_and_counted()
    {
        byte[] message = NftMessages.Rule(7, 4, Accept);
        TrackerRig rig = new TrackerRig().Play(_script.Receive(_skb).Nft(_skb, message).Nft(_skb, message));

        Assert.Single(Assert.Single(rig.CloseAll()).NftVerdicts);
        Assert.Equal(1, rig.Counters.Repeats);
    }

    [Fact]
    public void A_rule_that_judges_again_after_another_jump_is_kept()
    {
        _script.Receive(_skb)
            .Nft(_skb, NftMessages.Rule(7, 4, Jump, target: "a")).Nft(_skb, NftMessages.Rule(7, 9, -5, "a"))
            .Nft(_skb, NftMessages.Rule(7, 5, Jump, target: "a")).Nft(_skb, NftMessages.Rule(7, 9, -5, "a"));

        Assert.Equal([4UL, 9, 5, 9], Assert.Single(TrackerRig.Traces(_script)).NftVerdicts.Select(v => v.RuleHandle));
    }

    [Fact]
    public void Verdicts_of_a_packet_that_nobody_could_tell_are_one_trace_of_their_own()
    {
        Skb unknown = _skb with { Address = 0 };
        byte[] ip = Frames.Udp4(id: 77)[14..34];
        _script.Nft(unknown, NftMessages.Rule(7, 4, Jump, target: "a", network: ip)).Nft(unknown, NftMessages.Rule(7, 9, Drop, "a")).Nft(unknown, NftMessages.Policy(8, Accept));

        IReadOnlyList<ClosedTrace> traces = TrackerRig.Traces(_script);

        Assert.Equal([2, 1], traces.Select(t => t.NftVerdicts.Count));
        Assert.Equal((Verdict.Dropped, (ushort)77), (traces[0].Verdict, traces[0].In.IpId));
        Assert.All(traces, trace => Assert.True((trace.Marks & TraceMarks.NftOnly) != 0));
    }

    [Fact]
    public void The_next_packet_with_the_same_trace_id_is_a_trace_of_its_own()
    {
        Skb unknown = _skb with { Address = 0 };
        for (int i = 0; i < 2; i++)
        {
            _script.Nft(unknown, NftMessages.Rule(7, 4, -1, "out")).Nft(unknown, NftMessages.Return(7, "out")).Nft(unknown, NftMessages.Policy(7, Accept, "out"))
                .Nft(unknown, NftMessages.Rule(7, 5, Jump, "egress", target: "a")).Nft(unknown, NftMessages.Rule(7, 9, Accept, "a"));
        }
        _script.Nft(unknown, NftMessages.Rule(7, 4, Drop, "out")).Nft(unknown, NftMessages.Rule(7, 5, Drop, "other"));

        Assert.Equal([5, 5, 1, 1], TrackerRig.Traces(_script).Select(t => t.NftVerdicts.Count));
    }

    [Fact]
    public void Where_a_filter_may_not_want_them_verdicts_of_unknown_packets_are_only_counted()
    {
        TrackerRig rig = new TrackerRig(new TrackerOptions { ShowsUnjoinedVerdicts = false }).Play(_script.Nft(_skb with { Address = 0 }, NftMessages.Policy(8, Accept)));

        Assert.Empty(rig.CloseAll());
        Assert.Equal(1, rig.Counters.UnjoinedVerdicts);
    }

    [Fact]
    public void A_message_that_makes_no_sense_is_counted_and_harms_nothing()
    {
        TrackerRig rig = new TrackerRig().Play(_script.Receive(_skb).Nft(_skb, [1, 2, 3]).Nft(_skb, NftMessages.Policy(7, Accept)[..30]).Queue(_skb).Xmit(_skb));

        ClosedTrace trace = Assert.Single(rig.CloseAll());
        Assert.Equal((3, 0, 2L), (trace.Events.Count, trace.NftVerdicts.Count, rig.Counters.OrphanEvents));
    }
}
