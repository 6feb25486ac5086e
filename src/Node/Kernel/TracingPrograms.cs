using System.Runtime.InteropServices;
using NftCluster.Node.Kernel.Native;
using NftCluster.Node.Kernel.Probes;

namespace NftCluster.Node.Kernel;

/// <summary>
/// The programs of bpf/tracing.bpf.c, whose arguments BTF types: tracepoints, fentry, netfilter hooks. A program that the verifier
/// refuses is left out and the rest is loaded again.
/// </summary>
internal sealed class TracingPrograms(IReadOnlyList<PlannedProbe> plan, Attachments results, uint ringBytes, string? netnsPath, bool directMemory) : IDisposable
{
    private const int MaxLoads = 12;

    private BpfObject? _object;

    public int MapFd(string name) => LibBpf.bpf_map__fd(_object!.Map(name));

    public void Attach() => Attach(Load());

    public void Dispose() => _object?.Dispose();

    /// <summary>Row → program name, after the kernel took all of them.</summary>
    private Dictionary<int, string> Load()
    {
        for (int attempt = 0; attempt < MaxLoads; attempt++)
        {
            var candidate = BpfObject.Open(BpfObjects.Tracing, "tracing");
            Dictionary<int, string> programs = [];
            candidate.ChooseNone();
            _ = LibBpf.bpf_map__set_max_entries(candidate.Map("events"), ringBytes);
            AimSlots(candidate, programs);
            int errno = candidate.Load();
            if (errno == 0)
            {
                _object = candidate;
                return programs;
            }
            candidate.Dispose();
            LeaveOut(programs, errno);
        }
        throw new KernelException($"the kernel refuses too many BPF programs; the last words of libbpf: {LibbpfLog.LastLine(LibbpfLog.Captured)}");
    }

    private void AimSlots(BpfObject target, Dictionary<int, string> programs)
    {
        ref TracingSetup setup = ref target.ReadOnlyData<TracingSetup>(".rodata", 1)[0];
        setup.DirectMemory = directMemory ? (byte)1 : (byte)0;
        // The three rows of slots stand one behind the other.
        Span<ProbeDesc> slots = MemoryMarshal.CreateSpan(ref setup.TracepointSlots[0], TraceAbi.TracepointSlots + TraceAbi.FentrySlots + TraceAbi.NetfilterSlots);
        SlotRow tracepoints = new("tracepoint_slot_", 0, TraceAbi.TracepointSlots, TraceAbi.TracepointDoors);
        SlotRow functions = new("fentry_slot_", TraceAbi.TracepointSlots, TraceAbi.FentrySlots, TraceAbi.FentryDoors);
        SlotRow hooks = new("netfilter_slot_", TraceAbi.TracepointSlots + TraceAbi.FentrySlots, TraceAbi.NetfilterSlots, TraceAbi.NetfilterDoors);
        foreach (PlannedProbe planned in plan)
        {
            bool isElsewhere = planned.Probe.Definition.Kind is ProbeKind.Nft or ProbeKind.Return; // bpf/nft_probe.bpf.c
            SlotRow? row = isElsewhere || results.States[planned.Index].WhyNot is not null || planned.Backends.Count == 0 ? null : planned.Backends[0] switch
            {
                Backend.Tracepoint => tracepoints,
                Backend.Fentry => functions,
                Backend.Netfilter => hooks,
                _ => null,
            };
            if (row is null)
            {
                continue;
            }
            (string name, int slot) = row.Take(planned.Probe.Definition.Role);
            nint program = target.Program(name);
            int error = row == hooks
                ? LibBpf.bpf_program__set_type(program, LibBpf.BPF_PROG_TYPE_NETFILTER) | LibBpf.bpf_program__set_expected_attach_type(program, LibBpf.BPF_NETFILTER)
                : LibBpf.bpf_program__set_attach_target(program, 0, planned.Probe.Definition.Name);
            if (error != 0)
            {
                results.NotAttached(planned.Index, $"libbpf cannot aim at it: {Attachments.Text(-error)}");
                continue;
            }
            _ = LibBpf.bpf_program__set_autoload(program, true);
            slots[slot] = planned.Describe();
            programs[planned.Index] = name;
        }
    }

    /// <summary>libbpf names the refused program in its log: "prog 'tracepoint_slot_3': failed to load: -22".</summary>
    private void LeaveOut(Dictionary<int, string> programs, int errno)
    {
        string log = LibbpfLog.Captured;
        int end = log.IndexOf("': failed to load", StringComparison.Ordinal);
        int start = end < 0 ? -1 : log.LastIndexOf("prog '", end, StringComparison.Ordinal);
        string? refused = start < 0 ? null : log[(start + "prog '".Length)..end];
        KeyValuePair<int, string> culprit = programs.FirstOrDefault(p => string.Equals(p.Value, refused, StringComparison.Ordinal));
        if (culprit.Value is null)
        {
            throw new KernelException(errno is 1 or 13
                ? "the kernel refuses BPF programs: run as root (CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN)"
                : $"the BPF programs cannot be loaded: {Attachments.Text(errno)}: {LibbpfLog.LastLine(log)}");
        }
        results.NotAttached(culprit.Key, $"the verifier refuses it: {LibbpfLog.LastLine(log[..start])}");
        LibbpfLog.Capture();
    }

    private void Attach(Dictionary<int, string> programs)
    {
        foreach ((int index, string name) in programs)
        {
            nint program = _object!.Program(name);
            Backend backend = plan[index].Backends[0];
            if (backend == Backend.Netfilter)
            {
                AttachHook(index, program);
                continue;
            }
            nint link = LibBpf.bpf_program__attach(program);
            if (link == 0)
            {
                results.NotAttached(index, $"{Backends.NameOf(backend)}: {Attachments.Text(Marshal.GetLastPInvokeError())}");
                continue;
            }
            results.Attached(index, backend, BpfLink.OfLibbpf(link), LibBpf.bpf_program__fd(program));
        }
    }

    private void AttachHook(int index, nint program)
    {
        int fd = LibBpf.bpf_program__fd(program);
        int link = NetfilterLink.Create(fd, results.States[index].Definition.Name, netnsPath);
        if (link < 0)
        {
            results.NotAttached(index, $"netfilter: {Attachments.Text(-link)}");
            return;
        }
        results.Attached(index, Backend.Netfilter, BpfLink.OfDescriptor(link), fd);
    }
}
