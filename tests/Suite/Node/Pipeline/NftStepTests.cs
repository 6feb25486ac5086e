using System.Buffers.Binary;
using NftCluster.Node.Kernel.Native;
using NftCluster.Node.Pipeline;

namespace NftCluster.Tests.Node.Pipeline;

/// <summary>Verdicts from a probed function: with the kernel's addresses, the hook, conntrack's tuples, and visits of packets that came by no door.</summary>
public sealed class NftStepTests
{
    private const byte Rule = 3;
    private const byte Policy = 1;

    private readonly EventScript _script = new();
    private readonly Skb _skb = new(0xffff_8880_0001_0000, Frames.Udp4());

    [Fact]
    public void A_step_names_its_chain_rule_hook_and_target()
    {
        NftStep step = new() { ChainAddr = 0x10, RuleAddr = 0x20, RuleHandle = 5, Code = -3, Priority = -150, Iif = 2, Family = 1, Pf = 2, Hook = 0, Type = Rule };
        _script.Receive(_skb).NftStep(_skb, step, EventScript.NoConntrack, "filter", "pre", "more").Queue(_skb).Xmit(_skb);

        NftVerdict verdict = Assert.Single(Assert.Single(TrackerRig.Traces(_script)).NftVerdicts);

        Assert.Equal(("filter", "pre", "more", 5UL, -3), (verdict.Table, verdict.Chain, verdict.JumpTarget, verdict.RuleHandle, verdict.Code));
        Assert.Equal((0x10UL, 0x20UL, true, -150, NftTraceType.Rule, false), (verdict.ChainAddr, verdict.RuleAddr, verdict.HasHook, verdict.Priority, verdict.Type, verdict.HasConntrack));
    }

    [Fact]
    public void Names_of_255_bytes_are_whole()
    {
        string name = new('n', 255);
        _script.Receive(_skb).NftStep(_skb, Step(Policy, 1), EventScript.NoConntrack, name, name);

        NftVerdict verdict = Assert.Single(Assert.Single(TrackerRig.Traces(_script)).NftVerdicts);

        Assert.Equal((name, name, null), (verdict.Table, verdict.Chain, verdict.JumpTarget));
    }

    [Fact]
    public void Tuples_are_kept_once_and_once_more_when_NAT_changed_them()
    {
        NftConntrack before = Conntrack(reply: 1);
        NftConntrack after = Conntrack(reply: 2);
        _script.Receive(_skb);
        foreach (NftConntrack seen in new[] { before, before, after })
        {
            _script.NftStep(_skb, Step(Rule, -1), seen, "filter", "c").NftStep(_skb, Step(Policy, 1), seen, "filter", "c");
        }
        byte[] replies = [];

        ClosedTrace trace = Assert.Single(TrackerRig.Traces(_script, inspect: closed => replies = [.. closed.NftVerdicts.ToArray().Select(v => closed.TuplesOf(v).Reply[0])]));

        Assert.Equal([1, 1, 1, 1, 2, 2], trace.NftVerdicts.Select(v => v.Tuples));
        Assert.Equal([1, 1, 1, 1, 2, 2], replies);
        Assert.All(trace.NftVerdicts, v => Assert.Equal(8u, v.CtState)); // new
    }

    [Fact]
    public void An_untracked_packet_has_a_state_and_no_tuples()
    {
        _script.Receive(_skb).NftStep(_skb, Step(Policy, 1), new NftConntrack { Info = TraceAbi.ConntrackUntracked }, "filter", "c");

        NftVerdict verdict = Assert.Single(Assert.Single(TrackerRig.Traces(_script)).NftVerdicts);

        Assert.Equal((64u, (byte)0), (verdict.CtState, verdict.Tuples));
    }

    [Fact]
    public void A_chain_that_returns_tells_its_last_step_how_long_it_took()
    {
        _script.Receive(_skb)
            .NftStep(_skb, Step(Rule, -1), EventScript.NoConntrack, "filter", "c")
            .NftStep(_skb, Step(Policy, 1), EventScript.NoConntrack, "filter", "c")
            .Add("ret:nft_do_chain", _skb, 0, sampled: false, param: 1234, param2: 1);

        ClosedTrace trace = Assert.Single(TrackerRig.Traces(_script));

        Assert.Equal([0u, 1234u], trace.NftVerdicts.Select(v => v.ChainNs));
        Assert.Single(trace.Events);
    }

    [Fact]
    public void A_hook_that_returns_is_a_step_of_the_packet_and_never_begins_one()
    {
        TrackerRig rig = new TrackerRig().Play(_script.Add("ret:nf_hook_slow", _skb, 0, sampled: false, param: 10, param2: 1)
            .Receive(_skb).Step(_skb, "fn:nf_hook_slow").Add("ret:nf_hook_slow", _skb, 0, sampled: false, param: 1234, param2: 1));

        ClosedTrace trace = Assert.Single(rig.CloseAll());

        Assert.Equal((3, 1234UL, 1L), (trace.Events.Count, trace.Events[^1].Param, rig.Counters.OrphanEvents));
        Assert.Equal(trace.Events[^2].Length, trace.Events[^1].Length);
    }

    [Fact]
    public void A_packet_that_a_rule_saw_first_begins_its_visit_there()
    {
        _script.Add("nft:trace", _skb, 0, sampled: true).NftStep(_skb, Step(Policy, 1), EventScript.NoConntrack, "a", "out").Queue(_skb).Xmit(_skb);

        ClosedTrace trace = Assert.Single(TrackerRig.Traces(_script));

        Assert.Equal((1, 2, _skb.Address), (trace.NftVerdicts.Count, trace.Events.Count, trace.SkbAddr));
        Assert.Equal((TraceDirection.Outbound, TraceEnd.Left), (trace.Direction, trace.End));
    }

    [Fact]
    public void On_the_address_of_a_packet_that_left_a_rule_s_first_sight_is_the_next_packet()
    {
        Skb next = _skb with { Frame = Frames.Udp4(id: 99) };
        _script.Receive(_skb).Queue(_skb).Xmit(_skb)
            .Add("nft:trace", next, 0, sampled: true).NftStep(next, Step(Policy, 1), EventScript.NoConntrack, "a", "out");

        IReadOnlyList<ClosedTrace> traces = TrackerRig.Traces(_script);

        Assert.Equal([0, 1], traces.Select(t => t.NftVerdicts.Count));
    }

    private static NftStep Step(byte type, int code) => new() { ChainAddr = 0x10, Family = 1, Pf = 2, Type = type, Code = code };

    /// <summary>info 2: a new connection.</summary>
    private static NftConntrack Conntrack(byte reply)
    {
        NftConntrack conntrack = new() { Info = 2, Status = 8 };
        BinaryPrimitives.WriteUInt16LittleEndian(conntrack.Original[18..], 2);
        conntrack.Reply[0] = reply;
        return conntrack;
    }
}
