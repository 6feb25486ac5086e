using NftCluster.Node.Kernel;
using NftCluster.Node.Kernel.Native;
using NftCluster.Node.Kernel.Probes;

namespace NftCluster.Tests.Node.Kernel;

public sealed class AttachmentPlanTests
{
    private static readonly KernelCapabilities _everything = new(null, null, null, null);
    private static readonly KernelCapabilities _tracepointsOnly = new("no fentry here", "no kprobe.multi here", "no kprobes here", null);

    [Fact]
    public void Functions_are_tried_the_best_way_first()
    {
        Assert.Equal([Backend.Fentry, Backend.KprobeMulti, Backend.Kprobe], Plan("fn:ip_rcv", _everything).Backends);
        Assert.Equal([Backend.KprobeMulti, Backend.Kprobe], Plan("fn:ip_rcv", _everything with { WhyNoFentry = "no" }).Backends);
        Assert.Equal([Backend.Tracepoint], Plan("tp:net_dev_queue", _everything).Backends);
    }

    [Fact]
    public void Without_any_way_to_watch_functions_each_says_why()
    {
        PlannedProbe planned = Plan("fn:ip_rcv", _tracepointsOnly);

        Assert.Empty(planned.Backends);
        Assert.Equal("fentry: no fentry here; kprobe: no kprobes here", planned.WhyNot);
    }

    [Fact]
    public void A_forced_backend_says_how_functions_are_watched_and_leaves_tracepoints_alone()
    {
        Assert.Equal([Backend.Kprobe], Plan("fn:ip_rcv", _everything, Backend.Kprobe).Backends);
        Assert.Equal([Backend.Tracepoint], Plan("tp:net_dev_queue", _everything, Backend.Kprobe).Backends);
        Assert.Equal("--backend tracepoint leaves functions out", Plan("fn:ip_rcv", _everything, Backend.Tracepoint).WhyNot);
        Assert.Equal("no fentry here", Plan("fn:ip_rcv", _tracepointsOnly, Backend.Fentry).WhyNot);
    }

    [Fact]
    public void Hooks_are_watched_only_where_their_function_is_not()
    {
        Assert.Equal("nf_hook_slow shows it", Plan("hook:ipv4/INPUT", _everything).WhyNot);
        Assert.Equal([Backend.Netfilter], Plan("hook:ipv4/INPUT", _tracepointsOnly).Backends);
        Assert.Equal([Backend.Netfilter], Plan("hook:ipv4/INPUT", _everything, Backend.Netfilter).Backends);
        Assert.Equal("--backend kprobe leaves hooks out", Plan("hook:ipv4/INPUT", _everything, Backend.Kprobe).WhyNot);
    }

    [Fact]
    public void Hooks_need_one_namespace_and_a_kernel_that_has_links_to_them()
    {
        Assert.Equal("netfilter links belong to one namespace: name it with --netns", Plan("hook:ipv4/INPUT", _tracepointsOnly, oneNamespace: false).WhyNot);
        Assert.Equal("no links", Plan("hook:ipv4/INPUT", _tracepointsOnly with { WhyNoNetfilter = "no links" }).WhyNot);
    }

    [Fact]
    public void Verdicts_are_taken_from_a_function_where_one_can_be_watched_else_from_netlink()
    {
        Assert.Equal([Backend.Fentry, Backend.KprobeMulti, Backend.Kprobe, Backend.NftNetlink], Plan("nft:trace", _everything).Backends);
        Assert.Equal([Backend.NftNetlink], Plan("nft:trace", _tracepointsOnly).Backends);
    }

    [Theory]
    [InlineData("fentry", "fentry")]
    [InlineData("kprobe", "kprobe")]
    [InlineData("nft-netlink", "nft-netlink")]
    [InlineData("tracepoint", "nft-netlink")]
    public void A_forced_backend_says_where_verdicts_come_from(string forced, string source)
    {
        Assert.True(Backends.TryParse(forced, out Backend backend));

        Assert.Equal(source, Backends.NameOf(Assert.Single(Plan("nft:trace", _everything, backend).Backends)));
    }

    [Fact]
    public void Verdicts_from_a_forced_function_are_not_had_from_netlink_instead() =>
        Assert.Equal("no fentry here", Plan("nft:trace", _tracepointsOnly, Backend.Fentry).WhyNot);

    [Fact]
    public void Returns_are_watched_by_fentry_or_kprobe_in_one_namespace()
    {
        Assert.Equal([Backend.Fentry, Backend.Kprobe], Plan("ret:nft_do_chain", _everything).Backends);
        Assert.Equal("kprobe-multi tells no return from its call: --backend kprobe does", Plan("ret:nft_do_chain", _everything, Backend.KprobeMulti).WhyNot);
        Assert.Equal("nft's trace belongs to one namespace: name it with --netns", Plan("ret:nf_hook_slow", _everything, oneNamespace: false).WhyNot);
        Assert.Equal("fentry: no fentry here; kprobe: no kprobes here", Plan("ret:nf_hook_slow", _tracepointsOnly).WhyNot);
    }

    [Fact]
    public void Rows_that_the_kernel_lacks_or_nobody_chose_keep_their_place_and_say_why()
    {
        IReadOnlyList<PlannedProbe> plan = AttachmentPlan.Make(Catalog("fn:arp_rcv"), ProbeCatalog.Five.ToHashSet(), _everything, null, oneNamespace: true, _ => true);

        Assert.Equal(Enumerable.Range(0, ProbeCatalog.All.Count), plan.Select(p => p.Index));
        Assert.Equal(ProbeCatalog.Five.Count, plan.Count(p => p.WhyNot is null));
        Assert.Equal("not selected (--probes)", plan.Single(p => p.Probe.Definition.QualifiedName == "fn:ip_rcv").WhyNot);
        Assert.Equal("not here", Plan("fn:arp_rcv", _everything, missing: "fn:arp_rcv").WhyNot);
    }

    [Fact]
    public void A_function_that_only_BTF_knows_is_not_tried()
    {
        PlannedProbe planned = Plan("fn:ip_rcv_finish", _everything, inlined: "ip_rcv_finish");

        Assert.Empty(planned.Backends);
        Assert.Contains("inlined or renamed", planned.WhyNot, StringComparison.Ordinal);
        Assert.Null(Plan("tp:netif_receive_skb", _everything, inlined: "netif_receive_skb").WhyNot);
    }

    [Fact]
    public void Where_no_function_can_be_watched_nobody_waits_for_the_symbols()
    {
        IReadOnlyList<PlannedProbe> plan = AttachmentPlan.Make(Catalog(null), ProbeCatalog.All.ToHashSet(), _tracepointsOnly, forced: null, oneNamespace: true, _ => throw new InvalidOperationException("asked"));

        Assert.Contains(plan, p => p.WhyNot is null);
    }

    [Fact]
    public void The_whole_catalog_fits_the_slots_with_every_module_loaded()
    {
        AssertFits(ProbeKind.Tracepoint, TraceAbi.TracepointSlots, TraceAbi.TracepointDoors);
        AssertFits(ProbeKind.Function, TraceAbi.FentrySlots, TraceAbi.FentryDoors);
        AssertFits(ProbeKind.Hook, TraceAbi.NetfilterSlots, TraceAbi.NetfilterDoors);

        static void AssertFits(ProbeKind kind, int slots, int doors)
        {
            ProbeDefinition[] rows = [.. ProbeCatalog.All.Where(row => row.Kind == kind)];
            int needed = rows.Count(row => SlotRow.IsDoor(row.Role));
            Assert.InRange(needed, 0, doors);
            Assert.InRange(rows.Length - needed, 0, slots - doors);
        }
    }

    [Fact]
    public void Every_slot_of_a_row_is_given_out_once_doors_first()
    {
        SlotRow row = new("fentry_slot_", 64, slots: 5, doors: 2);

        Assert.Equal(("fentry_slot_2", 66), row.Take(ProbeRole.Step));
        Assert.Equal(("fentry_slot_0", 64), row.Take(ProbeRole.Receive));
        Assert.Equal(("fentry_slot_3", 67), row.Take(ProbeRole.Consume));
        Assert.Equal(("fentry_slot_1", 65), row.Take(ProbeRole.Drop));
        Assert.Equal(("fentry_slot_4", 68), row.Take(ProbeRole.Flow));
        Assert.Contains("more probes than", Assert.Throws<KernelException>(() => row.Take(ProbeRole.Step)).Message, StringComparison.Ordinal);
        Assert.Throws<KernelException>(() => row.Take(ProbeRole.Queue));
    }

    private static PlannedProbe Plan(string name, KernelCapabilities can, Backend? forced = null, bool oneNamespace = true, string? missing = null, string? inlined = null) =>
        AttachmentPlan.Make(Catalog(missing), ProbeCatalog.All.ToHashSet(), can, forced, oneNamespace, function => function != inlined).Single(p => p.Probe.Definition.QualifiedName == name);

    private static ResolvedProbe[] Catalog(string? missing) =>
        [.. ProbeCatalog.All.Select(p => new ResolvedProbe(p, 0, -1, -1, p.QualifiedName == missing ? "not here" : null))];
}
