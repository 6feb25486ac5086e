using NftCluster.Node.Pipeline;

namespace NftCluster.Tests.Node.Pipeline;

/// <summary>Identity on one host is the visit: which events belong to one packet trace.</summary>
public sealed class VisitIdentityTests
{
    private const uint Loopback = 1;

    private readonly EventScript _script = new();
    private readonly Skb _skb = new(0xffff_8880_0001_0000, Frames.Udp4());

    [Fact]
    public void One_packet_is_one_trace_with_all_its_events()
    {
        ClosedTrace trace = Assert.Single(TrackerRig.Traces(_script.Forward(_skb)));

        Assert.Equal(["netif_receive_skb", "ip_rcv", "ip_forward", "net_dev_queue", "net_dev_start_xmit"], trace.Probes, StringComparer.Ordinal);
        Assert.Equal((Verdict.Forwarded, TraceDirection.Forward, TraceEnd.Left), (trace.Verdict, trace.Direction, trace.End));
    }

    [Fact]
    public void Where_no_queue_is_watched_the_way_out_shows_the_header_as_it_left()
    {
        Skb left = _skb with { Frame = Frames.Udp4(ttl: 63) };

        ClosedTrace trace = Assert.Single(TrackerRig.Traces(_script.Receive(_skb).Xmit(left, sampled: true)));

        Assert.Equal((Verdict.Forwarded, (byte)64, (byte)63), (trace.Verdict, trace.In.Ttl, trace.Out.Ttl));
    }

    [Fact]
    public void A_packet_first_seen_on_its_way_out_is_forwarded_where_it_says_so_itself_and_not_complete()
    {
        PacketTrace? whole = null;

        ClosedTrace trace = Assert.Single(TrackerRig.Traces(_script.Queue(_skb, cameBy: 2).Xmit(_skb), inspect: closed => whole = closed));

        Assert.Equal((TraceDirection.Forward, Verdict.Forwarded), (trace.Direction, trace.Verdict));
        Assert.Equal((false, false), (whole!.BeganInSight, whole.IsComplete));
    }

    [Fact]
    public void A_packet_that_went_out_on_loopback_and_came_in_again_was_delivered_not_forwarded()
    {
        _script.LocalOut(_skb).Queue(_skb, Loopback).Xmit(_skb, Loopback).Receive(_skb, Loopback).Step(_skb, "hook:ipv4/INPUT", Loopback).Consume(_skb);

        Assert.Equal(Verdict.Delivered, Assert.Single(TrackerRig.Traces(_script)).Verdict);
    }

    [Fact]
    public void A_step_without_a_header_after_the_end_opens_no_visit_at_the_way_out()
    {
        TrackerRig rig = new TrackerRig().Play(_script.Xmit(_skb));

        Assert.Empty(rig.CloseAll());
        Assert.Equal(1, rig.Counters.OrphanEvents);
    }

    [Fact]
    public void A_receive_after_a_transmit_begins_a_new_visit()
    {
        IReadOnlyList<ClosedTrace> traces = TrackerRig.Traces(_script.Forward(_skb).Receive(_skb, EventScript.Eth1));

        Assert.Equal([5, 1], traces.Select(t => t.Events.Count));
    }

    [Fact]
    public void On_loopback_a_receive_after_a_transmit_is_the_same_packet()
    {
        _script.LocalOut(_skb).Queue(_skb, Loopback).Xmit(_skb, Loopback).Receive(_skb, Loopback, "tp:netif_rx").Receive(_skb, Loopback)
            .Step(_skb, "fn:udp_rcv", Loopback).Step(_skb, "tp:skb_copy_datagram_iovec", Loopback);

        ClosedTrace trace = Assert.Single(TrackerRig.Traces(_script));

        Assert.Equal(7, trace.Events.Count);
    }

    [Fact]
    public void On_loopback_too_the_next_packet_on_the_address_is_another()
    {
        for (int i = 0; i < 3; i++)
        {
            _script.LocalOut(_skb).Queue(_skb, Loopback).Xmit(_skb, Loopback).Receive(_skb, Loopback, "tp:netif_rx").Receive(_skb, Loopback);
        }

        Assert.Equal([5, 5, 5], TrackerRig.Traces(_script).Select(t => t.Events.Count));
    }

    [Fact]
    public void The_same_stage_and_device_once_more_begins_a_new_visit()
    {
        _script.Receive(_skb).Step(_skb, "fn:ip_rcv").Receive(_skb).Step(_skb, "fn:ip_rcv").Receive(_skb);

        IReadOnlyList<ClosedTrace> traces = TrackerRig.Traces(_script);

        Assert.Equal([2, 2, 1], traces.Select(t => t.Events.Count));
        Assert.Equal(TraceEnd.Replaced, traces[0].End);
    }

    [Fact]
    public void A_second_receive_entry_of_the_same_device_is_the_same_visit()
    {
        _script.Receive(_skb, probe: "tp:napi_gro_receive_entry").Receive(_skb).Forward(new Skb(0x9000, Frames.Udp4(id: 2)));

        Assert.Equal([2, 5], TrackerRig.Traces(_script).Select(t => t.Events.Count).Order());
    }

    [Fact]
    public void What_cannot_change_and_did_begins_a_new_visit()
    {
        _script.Receive(_skb).Step(_skb, "fn:ip_rcv").Queue(_skb with { Frame = Frames.Udp4(id: 2) });

        Assert.Equal([2, 1], TrackerRig.Traces(_script).Select(t => t.Events.Count));
    }

    [Fact]
    public void A_local_packet_on_the_address_of_one_further_on_is_new()
    {
        _script.Receive(_skb).Queue(_skb).LocalOut(_skb).Queue(_skb, EventScript.Eth0);

        Assert.Equal([2, 2], TrackerRig.Traces(_script).Select(t => t.Events.Count));
    }

    [Fact]
    public void NAT_does_not_split_a_visit()
    {
        byte[] translated = Frames.Udp4(source: "192.0.2.1", destination: "198.51.100.7", from: 61000, to: 5353, ttl: 63);
        _script.Receive(_skb).Step(_skb, "fn:ip_rcv").Queue(_skb with { Frame = translated }).Xmit(_skb);

        ClosedTrace trace = Assert.Single(TrackerRig.Traces(_script));

        Assert.Equal((4000, 61000, 64, 63), (trace.In.SourcePort, trace.Out.SourcePort, trace.In.Ttl, trace.Out.Ttl));
        Assert.Equal([TraceSide.In, TraceSide.In, TraceSide.Out, TraceSide.Out], trace.Events.Select(e => e.Side));
    }

    [Fact]
    public void A_bridge_does_not_split_a_visit()
    {
        const uint Bridge = 9;
        _script.Receive(_skb).Receive(_skb, Bridge).Step(_skb, "fn:ip_rcv", Bridge).Queue(_skb, Bridge).Xmit(_skb, Bridge).Queue(_skb).Xmit(_skb);

        ClosedTrace trace = Assert.Single(TrackerRig.Traces(_script));

        Assert.Equal(7, trace.Events.Count);
        Assert.Equal(EventScript.Eth0, trace.Events[0].Ifindex);
    }

    [Fact]
    public void A_VLAN_device_does_not_split_a_visit()
    {
        const uint Vlan = 9;
        Skb tagged = _skb with { Frame = Frames.Tagged(_skb.Frame, 100) };
        _script.Receive(tagged).Receive(_skb, Vlan).Queue(_skb, 10).Xmit(_skb, 10).Queue(tagged).Xmit(tagged);

        Assert.Equal(6, Assert.Single(TrackerRig.Traces(_script)).Events.Count);
    }

    [Fact]
    public void A_tunnel_does_not_split_a_visit()
    {
        byte[] inner = _skb.Frame[14..];
        Skb outer = _skb with { Frame = Frames.Ethernet(0x0800, Frames.IPv4(4, inner, "192.0.2.1", "192.0.2.2", 900, 64)) };
        _script.Receive(_skb).Queue(_skb, 7).Xmit(_skb, 7).Queue(outer).Xmit(outer);

        Assert.Equal(5, Assert.Single(TrackerRig.Traces(_script)).Events.Count);
    }

    [Fact]
    public void A_tunnel_whose_outer_packet_goes_the_way_of_local_ones_does_not_split_a_visit()
    {
        byte[] inner = _skb.Frame[14..];
        Skb outer = _skb with { Frame = Frames.Ethernet(0x0800, Frames.IPv4(4, inner, "192.0.2.1", "192.0.2.2", 900, 64)) };
        _script.Receive(_skb).Queue(_skb, 7).Xmit(_skb, 7).LocalOut(outer).Queue(outer).Xmit(outer);

        Assert.Equal(6, Assert.Single(TrackerRig.Traces(_script)).Events.Count);
    }

    [Fact]
    public void What_comes_out_of_a_VXLAN_tunnel_is_the_visit_that_came_in_with_it_around()
    {
        Skb outer = _skb with { Frame = Frames.Udp4(id: 900, payload: 8 + 14 + 60, to: 4789) };
        Skb inner = _skb with { Frame = Frames.Udp4(id: 5, payload: 32) };
        _script.Receive(outer).Receive(inner, 7).Queue(inner, 8).Xmit(inner, 8);

        Assert.Equal(4, Assert.Single(TrackerRig.Traces(_script)).Events.Count);
    }

    [Fact]
    public void Segments_of_an_aggregate_are_born_at_the_device()
    {
        Skb aggregate = new(0x1000, Frames.Tcp4(payload: 60)) { Segments = 3 };
        _script.LocalOut(aggregate).Queue(aggregate);
        for (ushort i = 0; i < 3; i++)
        {
            _script.Xmit(new Skb(0x2000u + (i * 0x100u), Frames.Tcp4(id: (ushort)(1 + i), sequence: 1 + (i * 20u), payload: 20)), sampled: true);
        }
        _script.Consume(aggregate);

        IReadOnlyList<ClosedTrace> traces = TrackerRig.Traces(_script);

        Assert.Equal([1u, 1u, 1u, 3u], traces.Select(t => (uint)t.Events.Count).Order());
        Assert.Equal([1u, 21u, 41u], traces.Where(t => t.Events.Count == 1).Select(t => t.In.TcpSeq));
    }

    [Fact]
    public void The_same_address_in_two_namespaces_is_two_visits()
    {
        _script.Receive(_skb).Receive(_skb with { Netns = 0xf000_0002 }).Step(_skb, "fn:ip_rcv").Step(_skb with { Netns = 0xf000_0002 }, "fn:ip_rcv");

        IReadOnlyList<ClosedTrace> traces = TrackerRig.Traces(_script);

        Assert.Equal([(0xf000_0001, 2), (0xf000_0002, 2)], traces.Select(t => (t.Netns, t.Events.Count)));
    }

    [Fact]
    public void Each_visit_has_a_generation_of_its_own()
    {
        IReadOnlyList<ClosedTrace> traces = TrackerRig.Traces(_script.Forward(_skb).Forward(_skb).Forward(_skb));

        Assert.Equal([1u, 2u, 3u], traces.Select(t => t.Generation));
        Assert.Single(traces.Select(t => t.SkbAddr).Distinct());
    }

    [Fact]
    public void An_event_that_other_sessions_want_is_left_alone()
    {
        _script.Forward(_skb with { Sessions = 0b100 }).Forward(new Skb(0x2000, Frames.Udp4()) { Sessions = 0b111 });

        Assert.Single(new TrackerRig(sessionBit: 1).Play(_script).CloseAll());
    }

    [Fact]
    public void A_discarded_record_is_passed_over()
    {
        Assert.Equal(5, Assert.Single(TrackerRig.Traces(_script.Discarded(_skb).Forward(_skb).Discarded(_skb))).Events.Count);
    }
}
