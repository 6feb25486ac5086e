using NftCluster.Node.Pipeline;

namespace NftCluster.Tests.Node.Pipeline;

/// <summary>Clones share the packet's buffer and belong to its visit.</summary>
public sealed class CloneTests
{
    private const uint Eth2 = 4;

    private readonly EventScript _script = new();
    private readonly Skb _skb = new(0xffff_8880_0001_0000, Frames.Udp6());

    [Fact]
    public void A_clone_is_found_by_the_buffer_it_shares()
    {
        _script.Receive(_skb).Queue(Clone(1)).Step(Clone(1), "tp:qdisc_dequeue").Queue(_skb, Eth2);

        ClosedTrace trace = Assert.Single(TrackerRig.Traces(_script));

        Assert.Equal((4, 2), (trace.Events.Count, trace.Events.Select(e => e.SkbAddr).Distinct().Count()));
    }

    [Fact]
    public void A_dropped_clone_is_not_the_end_of_the_packet()
    {
        _script.Receive(_skb).Queue(Clone(1)).Drop(Clone(1)).Step(_skb, "fn:ip6_input").Step(_skb, "tp:skb_copy_datagram_iovec");

        ClosedTrace trace = Assert.Single(TrackerRig.Traces(_script));

        Assert.Equal((Verdict.Delivered, 5, 0u), (trace.Verdict, trace.Events.Count, trace.DropReason));
    }

    [Fact]
    public void A_bridge_that_floods_sends_one_packet_out_of_many_ports()
    {
        _script.Receive(_skb);
        for (uint port = 0; port < 3; port++)
        {
            _script.Queue(Clone(port), EventScript.Eth1 + port).Xmit(Clone(port), EventScript.Eth1 + port);
        }
        _script.Queue(_skb, 20).Xmit(_skb, 20);

        Assert.Equal(9, Assert.Single(TrackerRig.Traces(_script)).Events.Count);
    }

    [Fact]
    public void More_clones_than_a_trace_remembers_are_found_at_their_doors()
    {
        _script.Receive(_skb);
        for (uint port = 0; port < 8; port++)
        {
            _script.Queue(Clone(port), EventScript.Eth1 + port);
        }

        Assert.Equal(9, Assert.Single(TrackerRig.Traces(_script)).Events.Count);
    }

    [Fact]
    public void An_answer_in_the_buffer_of_the_question_that_was_read_is_no_clone()
    {
        Skb question = new(0xffff_8880_0001_0000, Frames.Udp6(source: "fd01::2", destination: "fd01::1"));
        Skb answer = new(0xffff_8880_0002_0000, Frames.Udp6(source: "fd01::1", destination: "fd01::2", from: 9, to: 4000)) { Head = question.Head };

        _script.Receive(question).Step(question, "fn:udpv6_rcv").LocalOut(answer).Queue(answer, EventScript.Eth0).Xmit(answer, EventScript.Eth0);

        Assert.Equal([2, 3], TrackerRig.Traces(_script).Select(trace => trace.Events.Count).Order());
    }

    [Fact]
    public void The_next_packet_in_a_buffer_used_again_is_no_clone()
    {
        // IPv6 has no id and both carry 32 bytes: only their course tells them apart. The first one's end was not seen.
        Skb next = _skb with { Address = _skb.Address + 0x100 };
        _script.Receive(_skb).Step(_skb, "fn:udpv6_rcv").Receive(next).Step(next, "fn:udpv6_rcv");

        Assert.Equal([2, 2], TrackerRig.Traces(_script).Select(t => t.Events.Count));
    }

    [Fact]
    public void A_packet_that_comes_in_on_the_buffer_of_one_that_left_is_no_clone()
    {
        Skb next = _skb with { Address = _skb.Address + 0x100 };
        _script.Forward(_skb).Receive(next, EventScript.Eth1).Queue(next, EventScript.Eth0);

        Assert.Equal([5, 2], TrackerRig.Traces(_script).Select(t => t.Events.Count));
    }

    [Fact]
    public void A_trace_that_ended_lets_its_clones_and_its_buffer_go()
    {
        Skb other = Clone(1) with { Frame = Frames.Udp6(payload: 7), Head = 0x77 };
        _script.Receive(_skb).Queue(Clone(1)).Consume(_skb).Receive(other).Step(other, "fn:udpv6_rcv").Receive(Clone(2), Eth2);

        Assert.Equal([3, 2, 1], TrackerRig.Traces(_script).Select(t => t.Events.Count));
    }

    private Skb Clone(uint number) => _skb with { Address = _skb.Address + 0x1000 + (number * 0x100), Head = _skb.Head };
}
