using NftCluster.Node.Pipeline;

namespace NftCluster.Tests.Node.Pipeline;

/// <summary>When a trace is closed, what is left out, and what is counted.</summary>
public sealed class VisitEndTests
{
    private static readonly TrackerOptions _defaults = new();

    private readonly EventScript _script = new();
    private readonly TrackerRig _rig = new();
    private readonly Skb _skb = new(0xffff_8880_0001_0000, Frames.Udp4());

    [Fact]
    public void A_drop_ends_the_trace_with_its_reason()
    {
        _rig.Play(_script.Receive(_skb).Step(_skb, "fn:ip_rcv").Drop(_skb, reason: 5));

        ClosedTrace trace = Assert.Single(_rig.Closed);
        Assert.Equal((Verdict.Dropped, TraceEnd.Ended, 5u), (trace.Verdict, trace.End, trace.DropReason));
    }

    [Fact]
    public void A_drop_of_an_unknown_packet_is_a_trace()
    {
        _rig.Play(_script.Drop(_skb, sampled: true));

        Assert.Equal(Verdict.Dropped, Assert.Single(_rig.Closed).Verdict);
    }

    [Fact]
    public void An_end_of_an_unknown_packet_is_an_orphan_and_counted()
    {
        _rig.Play(_script.Consume(_skb).Forward(_skb).Consume(_skb).Consume(_skb));

        Assert.Equal((1, 2), (_rig.Closed.Count, (int)_rig.Counters.OrphanEvents));
    }

    [Fact]
    public void Used_up_by_the_local_stack_is_delivered_and_elsewhere_consumed()
    {
        Skb other = new(0x2000, Frames.Udp4(id: 2));
        _rig.Play(_script.Receive(_skb).Step(_skb, "fn:udp_rcv").Consume(_skb).Receive(other).Consume(other));

        Assert.Equal([Verdict.Delivered, Verdict.Consumed], _rig.Closed.Select(t => t.Verdict));
    }

    [Fact]
    public void Only_true_repeats_within_the_window_are_left_out()
    {
        _script.Receive(_skb).Step(_skb, "fn:nf_hook_slow", param: 0).Step(_skb, "fn:nf_hook_slow", param: 0);

        ClosedTrace trace = Assert.Single(_rig.Play(_script).CloseAll());

        Assert.Equal((2, 1), (trace.Events.Count, (int)_rig.Counters.Repeats));
    }

    [Fact]
    public void Later_hops_of_the_same_function_are_kept()
    {
        _script.Receive(_skb).Step(_skb, "fn:nf_hook_slow", param: 0).Step(_skb, "fn:nf_hook_slow", param: 2) // another hook
            .Step(_skb, "fn:nf_hook_slow", EventScript.Eth1, 2) // another device
            .After(_defaults.RepeatWindowNs).Step(_skb, "fn:nf_hook_slow", EventScript.Eth1, 2) // later
            .Step(_skb with { Frame = Frames.Udp4(payload: 33) }, "fn:nf_hook_slow", EventScript.Eth1, 2); // another length

        ClosedTrace trace = Assert.Single(_rig.Play(_script).CloseAll());

        Assert.Equal((6, 0), (trace.Events.Count, (int)_rig.Counters.Repeats));
    }

    [Theory]
    [InlineData(500, 3)]
    [InlineData(1_000, 2)]
    [InlineData(0, 3)]
    public void The_window_of_repeats_is_data(ulong windowNs, int kept)
    {
        _script.Receive(_skb).Step(_skb, "fn:ip_rcv").Step(_skb, "fn:ip_rcv");

        Assert.Equal(kept, Assert.Single(TrackerRig.Traces(_script, new TrackerOptions { RepeatWindowNs = windowNs })).Events.Count);
    }

    [Fact]
    public void What_left_is_closed_after_the_grace_and_not_before()
    {
        _rig.Play(_script.Forward(_skb));

        Assert.Empty(_rig.Expire(_script.NowNs + _defaults.GraceNs).Closed);
        Assert.Equal(TraceEnd.Left, Assert.Single(_rig.Expire(_script.NowNs + _defaults.GraceNs + 1).Closed).End);
        Assert.Equal(0, _rig.Counters.TimedOut);
    }

    [Fact]
    public void What_this_host_s_stack_took_in_and_did_not_drop_is_delivered_when_nothing_more_comes()
    {
        _rig.Play(_script.Receive(_skb).Step(_skb, "hook:ipv4/INPUT")).Expire(_script.NowNs + _defaults.TimeoutNs + 1);

        Assert.Equal((Verdict.Delivered, TraceEnd.Timeout), (_rig.Closed[0].Verdict, _rig.Closed[0].End));
    }

    [Fact]
    public void A_queue_that_refused_the_packet_did_not_deliver_it()
    {
        _rig.Play(_script.Receive(_skb).Step(_skb, "tp:udp_fail_queue_rcv_skb").Drop(_skb));

        Assert.Equal(Verdict.Dropped, Assert.Single(_rig.Closed).Verdict);
    }

    [Fact]
    public void What_stays_silent_is_closed_after_the_time_out()
    {
        _rig.Play(_script.Receive(_skb).Step(_skb, "fn:ip_rcv"));

        Assert.Empty(_rig.Expire(_script.NowNs + _defaults.TimeoutNs).Closed);
        Assert.Equal(TraceEnd.Timeout, Assert.Single(_rig.Expire(_script.NowNs + _defaults.TimeoutNs + 1).Closed).End);
        Assert.Equal(1, _rig.Counters.TimedOut);
    }

    [Fact]
    public void Newer_events_of_others_let_time_pass()
    {
        _rig.Play(_script.Forward(_skb).After(_defaults.GraceNs * 2).Receive(new Skb(0x2000, Frames.Udp4(id: 2))));

        Assert.Equal(TraceEnd.Left, Assert.Single(_rig.Closed).End);
    }

    [Fact]
    public void A_repeat_of_one_packet_does_not_hold_up_the_time_out_of_others()
    {
        Skb other = new(0x2000, Frames.Udp4(id: 2));
        _script.Receive(_skb).Step(_skb, "fn:ip_rcv").Receive(other);
        ulong otherNs = _script.NowNs;
        _script.After(500_000).Step(_skb, "fn:ip_rcv");

        _rig.Play(_script).Expire(otherNs + _defaults.TimeoutNs + 1);

        Assert.Equal(other.Address, Assert.Single(_rig.Closed).SkbAddr);
    }

    [Fact]
    public void The_trace_silent_for_longest_is_evicted_and_counted()
    {
        TrackerRig rig = new(new TrackerOptions { MaxOpen = 3 });
        Skb[] packets = [.. Enumerable.Range(1, 5).Select(i => new Skb((ulong)i * 0x100, Frames.Udp4(id: (ushort)i)))];
        _script.Receive(packets[0]).Receive(packets[1]).Receive(packets[2]).Step(packets[0], "fn:ip_rcv").Receive(packets[3]).Receive(packets[4]);

        rig.Play(_script);

        Assert.Equal([(packets[1].Address, TraceEnd.Evicted), (packets[2].Address, TraceEnd.Evicted)], rig.Closed.Select(t => (t.SkbAddr, t.End)));
        Assert.Equal((2, 3), ((int)rig.Counters.Evicted, rig.Open));
    }

    [Fact]
    public void Closing_all_closes_each_as_it_is()
    {
        Skb other = new(0x2000, Frames.Udp4(id: 2));
        _rig.Play(_script.Forward(_skb).Receive(other)).CloseAll();

        Assert.Equal([TraceEnd.Left, TraceEnd.Stopped], _rig.Closed.Select(t => t.End));
        Assert.Equal((0, 2, 2), (_rig.Open, (int)_rig.Counters.Packets, (int)_rig.Counters.Closed));
        Assert.Equal(2, _rig.CloseAll().Count);
    }

    [Fact]
    public void A_loop_is_cut_off_at_512_events_and_marked()
    {
        _script.Receive(_skb);
        for (int i = 0; i < PacketTrace.MaxEvents + 10; i++)
        {
            _script.Step(_skb, "fn:ip_rcv", param: (ulong)i);
        }
        _script.Drop(_skb, reason: 9);

        ClosedTrace trace = Assert.Single(_rig.Play(_script).Closed);

        Assert.Equal((PacketTrace.MaxEvents, true, 9u), (trace.Events.Count, trace.IsTruncated, trace.DropReason));
    }

    [Fact]
    public void The_next_trace_on_a_recycled_one_knows_nothing_of_it()
    {
        _rig.Play(_script.Receive(_skb).InProcess(_skb, "tp:skb_copy_datagram_iovec", 42, "curl").Drop(_skb, reason: 9));
        Skb other = new(0x2000, Frames.Udp4(id: 2));

        ClosedTrace trace = _rig.Play(_script.Step(other, "fn:ip_rcv")).CloseAll()[1];

        Assert.Equal((42u, 9u), (_rig.Closed[0].Pid, _rig.Closed[0].DropReason));
        Assert.Equal((Verdict.Unknown, 0u, 0u, 1), (trace.Verdict, trace.Pid, trace.DropReason, trace.Events.Count));
        Assert.Equal(TraceMarks.None, trace.Marks);
    }

    [Fact]
    public void An_event_that_throws_costs_one_trace()
    {
        List<Exception> failures = [];
        _rig.Reader.OnTraceFailed = failures.Add;
        Skb other = new(0x2000, Frames.Udp4(id: 2));

        _rig.Play(_script.Receive(other).Receive(_skb).Broken(_skb).Queue(other).Xmit(other)).CloseAll();

        Assert.Equal((other.Address, 3), (Assert.Single(_rig.Closed).SkbAddr, _rig.Closed[0].Events.Count));
        Assert.Equal((1, 1), (failures.Count, (int)_rig.Counters.Failed));
    }

    [Fact]
    public void Events_are_counted_by_probe()
    {
        _rig.Play(_script.Forward(_skb).Forward(_skb));

        Assert.Equal((10L, 2L), (_rig.Statistics.Events, _rig.Statistics.Snapshot(_rig.Counters, _rig.Open).Hits[EventScript.Probe("tp:net_dev_queue")]));
    }
}
