using NftCluster.Node.Kernel.Symbols;

namespace NftCluster.Tests.Node.Kernel.Symbols;

public sealed class KernelTypesTests
{
    private const string NoBtf = "this kernel has no /sys/kernel/btf/vmlinux (CONFIG_DEBUG_INFO_BTF)";

    [Theory]
    [InlineData("ip_rcv", 0)]
    [InlineData("ip_rcv_finish", 2)]
    [InlineData("ip_protocol_deliver_rcu", 1)]
    [InlineData("ip_output", 2)]
    [InlineData("tcp_sendmsg", -1)]
    public void The_packet_is_found_among_a_function_s_arguments(string name, int expected)
    {
        using KernelTypes types = Load();

        IReadOnlyList<string>? arguments = types.ArgumentsOfFunction(name);

        Assert.NotNull(arguments);
        Assert.Equal(expected, KernelTypes.PositionOf(arguments, "sk_buff*"));
    }

    [Theory]
    [InlineData("net_dev_queue", "sk_buff*", 0)]
    [InlineData("sock_rcvqueue_full", "sk_buff*", 1)]
    [InlineData("qdisc_enqueue", "sk_buff*", 2)]
    [InlineData("qdisc_dequeue", "sk_buff*", 3)]
    [InlineData("tcp_probe", "sk_buff*", 1)]
    [InlineData("icmp_send", "int#2", 2)]
    [InlineData("fib_table_lookup", "flowi4*", 1)]
    public void A_tracepoint_s_arguments_are_counted_without_the_tracer_s_own(string name, string wanted, int expected)
    {
        using KernelTypes types = Load();

        IReadOnlyList<string>? arguments = types.ArgumentsOfTracepoint(name);

        Assert.NotNull(arguments);
        Assert.Equal(expected, KernelTypes.PositionOf(arguments, wanted));
    }

    [Fact]
    public void What_the_kernel_lacks_is_null_and_not_an_error()
    {
        using KernelTypes types = Load();

        Assert.Null(types.ArgumentsOfFunction("no_such_function"));
        Assert.Null(types.ArgumentsOfTracepoint("no_such_tracepoint"));
        Assert.Null(types.ArgumentsOfFunction("no_such_function", "no_such_module"));
        Assert.Null(types.LayoutOfStruct("no_such_struct"));
        Assert.False(types.HasModule("no_such_module"));
    }

    [Fact]
    public void Drop_reasons_have_the_kernel_s_names_without_their_prefix()
    {
        using KernelTypes types = Load();
        uint noSocket = (uint)types.ValuesOfEnum("skb_drop_reason")!.Single(pair => pair.Value == "SKB_DROP_REASON_NO_SOCKET").Key;
        var reasons = new DropReasons(types);

        Assert.Equal("NO_SOCKET", reasons.NameOf(noSocket));
        Assert.Equal("60000", reasons.NameOf(60_000));
    }

    [Fact]
    public void The_kernel_s_structs_have_sizes_and_offsets()
    {
        using KernelTypes types = Load();

        StructLayout? layout = types.LayoutOfStruct("iphdr");

        Assert.NotNull(layout);
        Assert.Equal(20, layout.Size);
        Assert.Equal(8, layout.Fields.Single(field => field.Name == "ttl").Offset);
        Assert.Equal(16, layout.Fields.Single(field => field.Name == "daddr").Offset); // inside an anonymous union
    }

    [Fact]
    public void A_kernel_without_types_is_told_what_it_needs()
    {
        KernelTypesException error = Assert.Throws<KernelTypesException>(() => KernelTypes.Load("/nonexistent"));

        Assert.Contains("CONFIG_DEBUG_INFO_BTF", error.Message, StringComparison.Ordinal);
    }

    private static KernelTypes Load()
    {
        Assert.SkipUnless(File.Exists(Path.Combine(KernelTypes.DefaultDirectory, "vmlinux")), NoBtf);
        return KernelTypes.Load();
    }
}
