using NftCluster.Node.Kernel.Probes;
using NftCluster.Node.Kernel.Symbols;

namespace NftCluster.Tests.Node.Kernel.Probes;

public sealed class ProbeCatalogTests
{
    // The vocabulary of EventRecord in src/Messages/TraceRecord.cs.
    private static readonly string[] _layers =
        ["socket", "transport", "ip", "routing", "netfilter", "neighbour", "bridge", "tc", "qdisc", "device", "driver", "gro", "skb"];

    private static readonly string[] _steps =
    [
        "NIC", "driver", "GRO", "TC ingress", "PREROUTING", "routing", "local", "INPUT", "transport", "socket", "FORWARD", "output",
        "OUTPUT", "POSTROUTING", "qdisc", "TX", "neighbour", "bridge", "copy", "drop", "end", "nft",
    ];

    private static readonly string[] _directions = ["inbound", "forward", "outbound", "unknown"];

    [Fact]
    public void It_has_at_least_sixty_functions_and_tracepoints_and_fits_the_kernel_half() =>
        Assert.InRange(ProbeCatalog.All.Count(row => row.Kind != ProbeKind.Hook), 60, ProbeCatalog.Capacity - ProbeCatalog.All.Count(row => row.Kind == ProbeKind.Hook));

    [Fact]
    public void Names_are_unique_in_their_kind() =>
        Assert.Distinct(ProbeCatalog.All.Select(row => row.QualifiedName), StringComparer.Ordinal);

    [Fact]
    public void Every_row_uses_the_vocabulary_of_the_export() => Assert.All(ProbeCatalog.All, row =>
    {
        Assert.Contains(row.Layer, _layers, StringComparer.Ordinal);
        Assert.Contains(row.Step, _steps, StringComparer.Ordinal);
        Assert.Contains(row.Direction, _directions, StringComparer.Ordinal);
    });

    [Fact]
    public void Every_stand_in_is_a_tracepoint_or_a_hook_of_the_catalog() => Assert.All(
        ProbeCatalog.All.SelectMany(row => row.StandIns),
        name => Assert.Contains(ProbeCatalog.All, row => row.QualifiedName == name && row.Kind != ProbeKind.Function));

    [Fact]
    public void Roles_and_arguments_fit_each_other() => Assert.All(ProbeCatalog.All, row =>
    {
        Assert.Equal(row.Role is ProbeRole.Count or ProbeRole.Flow or ProbeRole.Verdict or ProbeRole.Return, row.SkbArgument is null);
        Assert.Equal(row.Role == ProbeRole.Flow, row.Param is ParamKind.Flow4 or ParamKind.Flow6 or ParamKind.Socket);
        Assert.Equal(row.Param != ParamKind.None && row.Kind != ProbeKind.Hook, row.ParamArgument is not null);
    });

    [Fact]
    public void Only_one_row_is_the_end_and_only_one_the_leaving() => Assert.All(
        [ProbeRole.Drop, ProbeRole.Consume, ProbeRole.Queue, ProbeRole.Xmit],
        role => Assert.Single(ProbeCatalog.All, row => row.Role == role));

    [Theory]
    [InlineData(2ul, 2u, "FORWARD", "forward")]
    [InlineData(4ul, 10u, "POSTROUTING", "outbound")]
    [InlineData(0ul, 3u, "INPUT", "inbound")]
    [InlineData(0ul, 5u, "TC ingress", "inbound")]
    [InlineData(9ul, 2u, "PREROUTING", "unknown")]
    public void A_hook_s_number_decides_the_step_of_nf_hook_slow(ulong hook, uint family, string step, string direction)
    {
        ProbeDefinition row = ProbeCatalog.All.Single(row => row.QualifiedName == "fn:nf_hook_slow");

        Assert.Equal(step, row.StepOf(hook, family));
        Assert.Equal(direction, row.DirectionOf(hook, family));
    }

    [Theory]
    [InlineData("tp:net_dev_queue", 0, -1, -1)]
    [InlineData("tp:sock_rcvqueue_full", 1, -1, -1)]
    [InlineData("tp:qdisc_enqueue", 2, -1, -1)]
    [InlineData("tp:qdisc_dequeue", 3, -1, -1)]
    [InlineData("tp:tcp_probe", 1, -1, -1)]
    [InlineData("tp:kfree_skb", 0, 1, 2)]
    [InlineData("tp:icmp_send", 0, 1, 2)]
    [InlineData("tp:fib_table_lookup", -1, 1, 0)]
    [InlineData("tp:fib6_table_lookup", -1, 3, 2)]
    [InlineData("tp:napi_poll", -1, -1, -1)]
    [InlineData("fn:nf_hook_slow", 0, 1, -1)]
    [InlineData("fn:ip_rcv_finish", 2, -1, -1)]
    public void Positions_come_from_the_running_kernel_s_types(string name, int skb, int param, int param2)
    {
        Assert.SkipUnless(File.Exists("/sys/kernel/btf/vmlinux"), "this kernel has no BTF");
        using var types = KernelTypes.Load();

        ResolvedProbe probe = ProbeResolver.Resolve(ProbeCatalog.All.Single(row => row.QualifiedName == name), types);

        Assert.Null(probe.WhyNot);
        Assert.Equal((skb, param, param2), (probe.SkbArg, probe.ParamArg, probe.Param2Arg));
    }

    [Fact]
    public void Every_tracepoint_of_the_running_kernel_resolves_and_the_rest_says_why_not()
    {
        Assert.SkipUnless(File.Exists("/sys/kernel/btf/vmlinux"), "this kernel has no BTF");
        using var types = KernelTypes.Load();

        Assert.All(ProbeCatalog.All, row =>
        {
            ResolvedProbe probe = ProbeResolver.Resolve(row, types);
            Assert.True(probe.CanAttach || !string.IsNullOrEmpty(probe.WhyNot));
            if (row.Kind == ProbeKind.Tracepoint && types.ArgumentsOfTracepoint(row.Name) is not null && row.Name != "udp_fail_queue_rcv_skb")
            {
                Assert.Null(probe.WhyNot); // udp_fail_queue_rcv_skb has a packet from 6.4 on
            }
        });
        Assert.True(ProbeCatalog.All.Count(row => ProbeResolver.Resolve(row, types).CanAttach) >= 60);
    }

    [Fact]
    public void A_missing_packet_argument_and_a_missing_module_are_told_apart()
    {
        ProbeDefinition bridge = ProbeCatalog.All.Single(row => row.Name == "br_forward");

        Assert.Contains("module bridge is not loaded", ProbeResolver.Resolve(bridge, arguments: null, moduleLoaded: false).WhyNot, StringComparison.Ordinal);
        Assert.Contains("no such function", ProbeResolver.Resolve(bridge, arguments: null).WhyNot, StringComparison.Ordinal);
        Assert.Contains("no packet", ProbeResolver.Resolve(bridge, ["sk_buff**"]).WhyNot, StringComparison.Ordinal);
    }

    [Fact]
    public void A_drop_reason_that_an_old_kernel_does_not_pass_is_simply_absent()
    {
        ProbeDefinition drop = ProbeCatalog.All.Single(row => row.QualifiedName == "tp:kfree_skb");

        ResolvedProbe probe = ProbeResolver.Resolve(drop, ["sk_buff*", "void*"]);

        Assert.Equal((0, 1, -1), (probe.SkbArg, probe.ParamArg, probe.Param2Arg));
        Assert.True(probe.CanAttach);
    }
}
