using System.Runtime.InteropServices;
using NftCluster.Node.Kernel;
using NftCluster.Node.Kernel.Filter;
using NftCluster.Node.Kernel.Native;
using NftCluster.Node.Kernel.Probes;
using NftCluster.Node.Kernel.Symbols;

namespace NftCluster.Node.Nftables;

/// <summary>What to probe, and how: the verdicts (null = not wanted), and the functions whose time is wanted.</summary>
internal sealed record NftFunctionWants(Backend Backend, Backend ForReturns, PlannedProbe? Verdicts, IReadOnlyList<PlannedProbe> Returns, string NetnsPath);

/// <summary>
/// nft's verdicts where functions of the kernel can be probed: an unhooked chain of our own switches the kernel's tracing on, and a
/// program on __nft_trace_packet() takes each step (bpf/nft_probe.bpf.c). No packet is marked and nothing goes through netlink.
/// </summary>
internal sealed unsafe class NftFunctionTrace : INftSource
{
    private readonly BpfObject _object;
    private readonly ArmingTable? _arming;

    private NftFunctionTrace(BpfObject bpf, ArmingTable? arming) => (_object, _arming) = (bpf, arming);

    public int ProgramFd { get; private set; } = -1;

    /// <summary>Throws <see cref="KernelException"/> with one line that says why verdicts cannot be had this way.</summary>
    public static NftFunctionTrace Attach(NftFunctionWants wants, Attachments results, KernelTypes types, Func<string, int> mapFd)
    {
        // First the table: it brings nf_tables into the kernel, and with it the functions and their types.
        ArmingTable? arming = wants.Verdicts is null ? null : NetworkNamespace.Run(wants.NetnsPath, ArmingTable.Open);
        BpfObject? bpf = null;
        try
        {
            bpf = Load(wants, types, mapFd);
            NftFunctionTrace trace = new(bpf, arming);
            if (wants.Verdicts is not null)
            {
                trace.AttachVerdicts(wants.Backend, results);
            }
            foreach (PlannedProbe row in wants.Returns)
            {
                trace.AttachReturn(row, wants.ForReturns, results);
            }
            return trace;
        }
        catch
        {
            arming?.Dispose();
            bpf?.Dispose();
            throw;
        }
    }

    public Following Follow(Ruleset ruleset) => _arming?.Follow(ruleset) ?? Following.Stood;

    /// <summary>No packet is marked: the kernel calls the function for all of them.</summary>
    public void Mark(int session, params IReadOnlyList<IReadOnlyList<FilterNode>> filters)
    {
    }

    /// <summary>Nothing lies between the function and the ring, whose own losses are counted.</summary>
    public long MessagesLost => 0;

    public void Dispose()
    {
        // First what makes the kernel call the function, then who listens.
        _arming?.Dispose();
        _object.Dispose();
    }

    private static BpfObject Load(NftFunctionWants wants, KernelTypes types, Func<string, int> mapFd)
    {
        var bpf = BpfObject.Open(BpfObjects.NftProbe, "nft_probe");
        try
        {
            bpf.ChooseNone();
            foreach (string map in BpfObjects.NftSharedMaps)
            {
                _ = LibBpf.bpf_map__reuse_fd(bpf.Map(map), mapFd(map));
            }
            ref NftProbeSetup setup = ref bpf.ReadOnlyData<NftProbeSetup>(".rodata", 1)[0];
            NftFunctions.Locate(types, ref setup);
            setup.Netns = NetworkNamespace.Inode(wants.NetnsPath);
            setup.Probe = (ushort)(wants.Verdicts?.Index ?? 0);
            if (wants.Verdicts is not null)
            {
                Choose(bpf, VerdictProgram(wants.Backend), NftFunctions.Trace, wants.Backend);
            }
            foreach (PlannedProbe row in wants.Returns)
            {
                bool isChain = row.Probe.Definition.Name == NftFunctions.Chain;
                (isChain ? ref setup.ChainReturn : ref setup.HookReturn) = (ushort)row.Index;
                (string enter, string leave) = CallPrograms(row, wants.ForReturns);
                Choose(bpf, enter, row.Probe.Definition.Name, wants.ForReturns);
                Choose(bpf, leave, row.Probe.Definition.Name, wants.ForReturns);
            }
            LibbpfLog.Capture();
            int errno = bpf.Load();
            return errno == 0 ? bpf : throw new KernelException($"the kernel refuses the programs that take nft's verdicts: {Attachments.Text(errno)}: {LibbpfLog.LastLine(LibbpfLog.Captured)}");
        }
        catch
        {
            bpf.Dispose();
            throw;
        }
    }

    private static void Choose(BpfObject bpf, string program, string function, Backend backend)
    {
        nint chosen = bpf.Program(program);
        int error = backend == Backend.Fentry ? LibBpf.bpf_program__set_attach_target(chosen, 0, function) : 0;
        if (error != 0)
        {
            throw new KernelException($"libbpf cannot aim at {function}: {Attachments.Text(-error)}");
        }
        _ = LibBpf.bpf_program__set_autoload(chosen, true);
    }

    private static string VerdictProgram(Backend backend) => backend switch
    {
        Backend.Fentry => "nft_trace_fentry",
        Backend.KprobeMulti => "nft_trace_kprobe_multi",
        _ => "nft_trace_kprobe",
    };

    private static (string Enter, string Leave) CallPrograms(PlannedProbe row, Backend backend)
    {
        string place = row.Probe.Definition.Name == NftFunctions.Chain ? "nft_chain_" : "nft_hook_";
        return backend == Backend.Fentry ? (place + "fentry", place + "fexit") : (place + "kprobe", place + "kretprobe");
    }

    private void AttachVerdicts(Backend backend, Attachments results)
    {
        nint program = _object.Program(VerdictProgram(backend));
        nint link = Link(program, NftFunctions.Trace, backend, isReturn: false);
        if (link == 0)
        {
            throw new KernelException($"{NftFunctions.Trace} cannot be probed: {Attachments.Text(Marshal.GetLastPInvokeError())}");
        }
        results.Own(BpfLink.OfLibbpf(link));
        ProgramFd = LibBpf.bpf_program__fd(program);
    }

    private void AttachReturn(PlannedProbe row, Backend backend, Attachments results)
    {
        ProbeDefinition definition = row.Probe.Definition;
        (string enter, string leave) = CallPrograms(row, backend);
        nint entered = Link(_object.Program(enter), definition.Name, backend, isReturn: false);
        nint left = entered == 0 ? 0 : Link(_object.Program(leave), definition.Name, backend, isReturn: true);
        if (entered == 0 || left == 0)
        {
            results.NotAttached(row.Index, $"{Backends.NameOf(backend)}: {Attachments.Text(Marshal.GetLastPInvokeError())}");
            results.Own(entered == 0 ? null : BpfLink.OfLibbpf(entered));
            return;
        }
        results.Own(BpfLink.OfLibbpf(entered));
        results.Attached(row.Index, backend, BpfLink.OfLibbpf(left), LibBpf.bpf_program__fd(_object.Program(leave)));
    }

    /// <summary>A link, or 0 with errno.</summary>
    private static nint Link(nint program, string function, Backend backend, bool isReturn)
    {
        switch (backend)
        {
            case Backend.Fentry:
                return LibBpf.bpf_program__attach(program);
            case Backend.KprobeMulti:
                byte* name = (byte*)Marshal.StringToCoTaskMemUTF8(function);
                bpf_kprobe_multi_opts multi = new() { sz = (nuint)sizeof(bpf_kprobe_multi_opts), syms = &name, cnt = 1 };
                nint link = LibBpf.bpf_program__attach_kprobe_multi_opts(program, null, &multi);
                int errno = Marshal.GetLastPInvokeError();
                Marshal.FreeCoTaskMem((nint)name);
                Marshal.SetLastPInvokeError(errno);
                return link;
            default:
                bpf_kprobe_opts single = new() { sz = (nuint)sizeof(bpf_kprobe_opts), retprobe = isReturn ? (byte)1 : (byte)0 };
                return LibBpf.bpf_program__attach_kprobe_opts(program, function, &single);
        }
    }
}
