using NftCluster.Node.Kernel;
using NftCluster.Node.Kernel.Filter;
using NftCluster.Node.Kernel.Native;
using NftCluster.Node.Kernel.Symbols;
using NftCluster.Tests.Lab;

namespace NftCluster.Tests.Node.Kernel;

/// <summary>The sessions' room on real maps of this kernel; nothing is attached.</summary>
[Collection(RunningNode.Collection)]
public sealed class SessionFiltersTests : IDisposable
{
    private BpfObject? _object;

    [Fact]
    public void Filters_find_the_first_room_that_fits_beside_each_other()
    {
        SessionFilters filters = OnRealMaps();
        int[] bits = [filters.Reserve(), filters.Reserve(), filters.Reserve()];
        filters.Replace(bits[0], default, Nodes(10));
        filters.Replace(bits[1], default, Nodes(20));
        filters.Replace(bits[2], default, Nodes(5));
        Assert.Equal([0u, 10u, 30u], bits.Select(b => Read(b).FirstNode));

        filters.Replace(bits[0], default, Nodes(8)); // beside its old one, which holds until then
        Assert.Equal((35u, 8u), (Read(bits[0]).FirstNode, Read(bits[0]).NodeCount));
        filters.Close(bits[1]);
        filters.Replace(bits[2], default, Nodes(30));
        Assert.Equal(0u, Read(bits[2]).FirstNode);
    }

    [Fact]
    public void A_filter_without_room_is_refused_and_the_old_one_stays()
    {
        SessionFilters filters = OnRealMaps();
        int bit = filters.Reserve();
        filters.Replace(bit, default, Nodes(3000));

        string refused = Assert.Throws<KernelException>(() => filters.Replace(bit, default, Nodes(2000))).Message;

        Assert.Equal("the filters of all sessions together need more than 4096 nodes: shorten this one or stop another session", refused);
        Assert.Equal((0u, 3000u), (Read(bit).FirstNode, Read(bit).NodeCount));
    }

    [Fact]
    public void The_gate_is_the_only_namespace_wanted_and_open_when_there_are_more()
    {
        SessionFilters filters = OnRealMaps();
        (int first, int second) = (filters.Reserve(), filters.Reserve());
        filters.Replace(first, new SessionFilter { Netns = 0xf0000001 }, []);
        Assert.Equal((0xf0000001u, 1ul << first, 0ul), Control());

        filters.Replace(second, new SessionFilter { Netns = 0xf0000002 }, Nodes(1));
        Assert.Equal((0u, 0ul, (1ul << first) | (1ul << second)), Control());

        filters.Close(first);
        Assert.Equal((0xf0000002u, 0ul, 1ul << second), Control());
        filters.Close(second);
        Assert.Equal((0u, 0ul, 0ul), Control());
    }

    [Fact]
    public void Sixty_four_sessions_fit_and_one_more_is_told_what_to_do()
    {
        SessionFilters filters = OnRealMaps();
        int[] bits = [.. Enumerable.Range(0, TraceAbi.MaxSessions).Select(_ => filters.Reserve())];

        Assert.Equal(TraceAbi.MaxSessions, bits.Distinct().Count());
        Assert.Equal("64 sessions are running: stop one first", Assert.Throws<KernelException>(() => filters.Reserve()).Message);
        filters.Close(bits[7]);
        Assert.Equal(bits[7], filters.Reserve());
    }

    [Fact]
    public void What_this_kernel_allows_is_found_out_by_trying_it()
    {
        Root.Required();
        using var types = KernelTypes.Load();
        var can = KernelCapabilities.Probe("ip_rcv", types.IdOfFunction("ip_rcv"));
        var none = KernelCapabilities.Probe("no_such_function", 0);

        Assert.Null(can.WhyNot(Backend.Tracepoint));
        Assert.All(Enum.GetValues<Backend>(), backend => Assert.DoesNotContain('\n', can.WhyNot(backend) ?? ""));
        Assert.Equal("no_such_function is not in this kernel's BTF", none.WhyNoFentry);
        Assert.NotNull(none.WhyNoKprobeMulti);
    }

    public void Dispose() => _object?.Dispose();

    private SessionFilters OnRealMaps()
    {
        Root.Required();
        _object = BpfObject.Open(BpfObjects.Tracing, "filters_test");
        _object.ChooseNone();
        _ = LibBpf.bpf_map__set_max_entries(_object.Map("events"), 4096);
        Assert.Equal(0, _object.Load());
        return new SessionFilters(new FilterMaps(Fd("control"), Fd("session_filters"), Fd("filter_nodes"), Fd("filter_reads")), 4096);
    }

    private int Fd(string map) => LibBpf.bpf_map__fd(_object!.Map(map));

    private unsafe SessionFilter Read(int bit)
    {
        SessionFilter want;
        Assert.Equal(0, LibBpf.bpf_map_lookup_elem(Fd("session_filters"), &bit, &want));
        return want;
    }

    private unsafe (uint Gate, ulong All, ulong Filtered) Control()
    {
        uint key = 0;
        Control control;
        Assert.Equal(0, LibBpf.bpf_map_lookup_elem(Fd("control"), &key, &control));
        return (control.GateNetns, control.AllMask, control.FilteredMask);
    }

    private static FilterNode[] Nodes(int count) => new FilterNode[count];
}
