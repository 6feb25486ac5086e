using System.ComponentModel;
using System.Runtime.InteropServices;
using NftCluster.Node.Kernel.Filter;
using NftCluster.Node.Kernel.Native;
using NftCluster.Node.Kernel.Probes;
using NftCluster.Node.Nftables;

namespace NftCluster.Node.Kernel;

/// <summary>One row of the catalog as it is on this kernel now.</summary>
internal sealed record ProbeState(int Index, ProbeDefinition Definition, Backend? Backend, string? WhyNot, int ProgramFd);

/// <summary>
/// Loads and attaches the planned probes. A program that the verifier refuses is left out and the rest is loaded again; a
/// function that cannot be attached is tried with the next backend.
/// </summary>
internal sealed unsafe class KernelProbes : IDisposable
{
    private const int MaxLoads = 12;
    private const string SingleProgram = "observe_kprobe";
    private const string MultiProgram = "observe_kprobe_multi";
    private const string SingleDoor = "observe_kprobe_door_";
    private const string MultiDoor = "observe_kprobe_multi_door_";
    private const int KernelNotSupported = 524; // ENOTSUPP, which libc does not know: fentry and more than six arguments (Linux 6.1)

    private readonly IReadOnlyList<PlannedProbe> _plan;
    private readonly ProbeState[] _states;
    private readonly List<BpfLink> _links = [];
    private readonly Dictionary<int, string> _kprobeDoors = [];
    private readonly uint _ringBytes;
    private readonly string? _netnsPath;
    private readonly bool _directMemory;
    private BpfObject? _tracing;
    private BpfObject? _kprobe;
    private NftNetlinkTrace? _nft;

    public KernelProbes(IReadOnlyList<PlannedProbe> plan, uint ringBytes, string? netnsPath, bool directMemory)
    {
        _directMemory = directMemory;
        _plan = plan;
        _ringBytes = ringBytes;
        _netnsPath = netnsPath;
        _states = [.. plan.Select(p => new ProbeState(p.Index, p.Probe.Definition, null, p.WhyNot, -1))];
    }

    public IReadOnlyList<ProbeState> States => _states;

    public int MapFd(string name) => LibBpf.bpf_map__fd(_tracing!.Map(name));

    public void Attach()
    {
        LibbpfLog.Capture();
        Dictionary<int, string> programs = LoadTracing();
        AttachTracing(programs);
        PlannedProbe[] left = [.. _plan.Where(p => _states[p.Index].Backend is null && p.WhyNot is null && p.Backends.Any(b => b is Backend.Kprobe or Backend.KprobeMulti))];
        if (left.Length > 0)
        {
            LoadKprobe(left);
            AttachKprobes(left);
        }
        AttachNft();
    }

    private void AttachNft()
    {
        if (_plan.FirstOrDefault(p => p.Backends is [Backend.NftNetlink]) is not { } row)
        {
            return;
        }
        try
        {
            _nft = NftNetlinkTrace.Attach(this, row.Index, _netnsPath!);
            Attached(row.Index, Backend.NftNetlink, null, -1);
        }
        catch (KernelException refused)
        {
            NotAttached(row.Index, $"nft-netlink: {refused.Message}");
        }
        catch (DllNotFoundException)
        {
            NotAttached(row.Index, "nft-netlink: libnftables.so.1 is missing: apt-get install libnftables1");
        }
    }

    /// <summary>nft's trace is switched on where the ruleset has chains.</summary>
    public bool Follow(Ruleset ruleset) => _nft?.Follow(ruleset) ?? false;

    /// <summary>What nft's trace is switched on for: this session's filters.</summary>
    public void Mark(int session, params IReadOnlyList<IReadOnlyList<FilterNode>> filters) => _nft?.Mark(session, filters);

    public long NftMessagesLost => _nft?.MessagesLost ?? 0;

    public void Dispose()
    {
        _nft?.Dispose();
        foreach (BpfLink link in _links)
        {
            link.Dispose();
        }
        _links.Clear();
        _kprobe?.Dispose();
        _tracing?.Dispose();
    }

    /// <summary>Row → program name, after the kernel took all of them.</summary>
    private Dictionary<int, string> LoadTracing()
    {
        for (int attempt = 0; attempt < MaxLoads; attempt++)
        {
            var candidate = BpfObject.Open(BpfObjects.Tracing, "tracing");
            Dictionary<int, string> programs = [];
            candidate.ChooseNone();
            _ = LibBpf.bpf_map__set_max_entries(candidate.Map("events"), _ringBytes);
            AimSlots(candidate, programs);
            int errno = candidate.Load();
            if (errno == 0)
            {
                _tracing = candidate;
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
        setup.DirectMemory = _directMemory ? (byte)1 : (byte)0;
        // The three rows of slots stand one behind the other.
        Span<ProbeDesc> slots = MemoryMarshal.CreateSpan(ref setup.TracepointSlots[0], TraceAbi.TracepointSlots + TraceAbi.FentrySlots + TraceAbi.NetfilterSlots);
        SlotRow tracepoints = new("tracepoint_slot_", 0, TraceAbi.TracepointSlots, TraceAbi.TracepointDoors);
        SlotRow functions = new("fentry_slot_", TraceAbi.TracepointSlots, TraceAbi.FentrySlots, TraceAbi.FentryDoors);
        SlotRow hooks = new("netfilter_slot_", TraceAbi.TracepointSlots + TraceAbi.FentrySlots, TraceAbi.NetfilterSlots, TraceAbi.NetfilterDoors);
        foreach (PlannedProbe planned in _plan)
        {
            SlotRow? row = _states[planned.Index].WhyNot is not null || planned.Backends.Count == 0 ? null : planned.Backends[0] switch
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
                NotAttached(planned.Index, $"libbpf cannot aim at it: {Text(-error)}");
                continue;
            }
            _ = LibBpf.bpf_program__set_autoload(program, true);
            slots[slot] = Describe(planned);
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
                : $"the BPF programs cannot be loaded: {Text(errno)}: {LibbpfLog.LastLine(log)}");
        }
        NotAttached(culprit.Key, $"the verifier refuses it: {LibbpfLog.LastLine(log[..start])}");
        LibbpfLog.Capture();
    }

    private void AttachTracing(Dictionary<int, string> programs)
    {
        foreach ((int index, string name) in programs)
        {
            nint program = _tracing!.Program(name);
            Backend backend = _plan[index].Backends[0];
            if (backend == Backend.Netfilter)
            {
                AttachHook(index, program);
                continue;
            }
            nint link = LibBpf.bpf_program__attach(program);
            if (link == 0)
            {
                NotAttached(index, $"{Backends.NameOf(backend)}: {Text(Marshal.GetLastPInvokeError())}");
                continue;
            }
            Attached(index, backend, BpfLink.OfLibbpf(link), LibBpf.bpf_program__fd(program));
        }
    }

    private void AttachHook(int index, nint program)
    {
        int fd = LibBpf.bpf_program__fd(program);
        int link = NetfilterLink.Create(fd, _states[index].Definition.Name, _netnsPath);
        if (link < 0)
        {
            NotAttached(index, $"netfilter: {Text(-link)}");
            return;
        }
        Attached(index, Backend.Netfilter, BpfLink.OfDescriptor(link), fd);
    }

    private void LoadKprobe(PlannedProbe[] probes)
    {
        _kprobe = BpfObject.Open(BpfObjects.Kprobe, "kprobe");
        _kprobe.ChooseNone();
        foreach (string map in BpfObjects.SharedMaps)
        {
            _ = LibBpf.bpf_map__reuse_fd(_kprobe.Map(map), MapFd(map));
        }
        bool multi = probes[0].Backends.Contains(Backend.KprobeMulti);
        bool single = probes[0].Backends.Contains(Backend.Kprobe);
        Span<ProbeDesc> descriptions = _kprobe.ReadOnlyData<ProbeDesc>(".rodata", TraceAbi.MaxProbes + TraceAbi.FentryDoors);
        SlotRow doors = new(multi ? MultiDoor : SingleDoor, TraceAbi.MaxProbes, TraceAbi.FentryDoors, TraceAbi.FentryDoors);
        foreach (PlannedProbe probe in probes)
        {
            descriptions[probe.Index] = Describe(probe);
            if (SlotRow.IsDoor(probe.Probe.Definition.Role))
            {
                (string name, int row) = doors.Take(probe.Probe.Definition.Role);
                descriptions[row] = Describe(probe);
                _kprobeDoors[probe.Index] = name;
                _ = LibBpf.bpf_program__set_autoload(_kprobe.Program(name), true);
            }
        }
        _ = LibBpf.bpf_program__set_autoload(_kprobe.Program(MultiProgram), multi);
        _ = LibBpf.bpf_program__set_autoload(_kprobe.Program(SingleProgram), single);
        int errno = _kprobe.Load();
        if (errno != 0)
        {
            throw new KernelException($"the kprobe programs cannot be loaded: {Text(errno)}: {LibbpfLog.LastLine(LibbpfLog.Captured)}");
        }
    }

    private void AttachKprobes(PlannedProbe[] probes)
    {
        PlannedProbe[] multi = [.. probes.Where(p => p.Backends.Contains(Backend.KprobeMulti))];
        PlannedProbe[] steps = [.. multi.Where(p => !_kprobeDoors.ContainsKey(p.Index))];
        AttachMultiHalves(steps);
        foreach (PlannedProbe door in multi.Where(p => _kprobeDoors.ContainsKey(p.Index)))
        {
            _ = AttachMulti([door], _kprobeDoors[door.Index]);
        }
        foreach (PlannedProbe probe in probes.Where(p => _states[p.Index].Backend is null && p.Backends.Contains(Backend.Kprobe)))
        {
            string name = _kprobeDoors.GetValueOrDefault(probe.Index, SingleProgram);
            if (name.StartsWith(MultiProgram, StringComparison.Ordinal))
            {
                continue; // A door has one program: it was kprobe-multi's.
            }
            nint program = _kprobe!.Program(name);
            bpf_kprobe_opts options = new() { sz = (nuint)sizeof(bpf_kprobe_opts), bpf_cookie = (ulong)probe.Index };
            nint link = LibBpf.bpf_program__attach_kprobe_opts(program, probe.Probe.Definition.Name, &options);
            if (link == 0)
            {
                NotAttached(probe.Index, $"kprobe: {Text(Marshal.GetLastPInvokeError())}");
                continue;
            }
            Attached(probe.Index, Backend.Kprobe, BpfLink.OfLibbpf(link), LibBpf.bpf_program__fd(program));
        }
    }

    /// <summary>One function that cannot be traced refuses all of them: halves find it with few links.</summary>
    private void AttachMultiHalves(PlannedProbe[] probes)
    {
        if (probes.Length == 0 || AttachMulti(probes, MultiProgram) || probes.Length == 1)
        {
            return;
        }
        AttachMultiHalves(probes[..(probes.Length / 2)]);
        AttachMultiHalves(probes[(probes.Length / 2)..]);
    }

    private bool AttachMulti(PlannedProbe[] probes, string name)
    {
        nint program = _kprobe!.Program(name);
        byte** names = stackalloc byte*[probes.Length];
        ulong* cookies = stackalloc ulong[probes.Length];
        for (int i = 0; i < probes.Length; i++)
        {
            names[i] = (byte*)Marshal.StringToCoTaskMemUTF8(probes[i].Probe.Definition.Name);
            cookies[i] = (ulong)probes[i].Index;
        }
        bpf_kprobe_multi_opts options = new() { sz = (nuint)sizeof(bpf_kprobe_multi_opts), syms = names, cookies = cookies, cnt = (nuint)probes.Length };
        nint link = LibBpf.bpf_program__attach_kprobe_multi_opts(program, null, &options);
        int errno = Marshal.GetLastPInvokeError();
        for (int i = 0; i < probes.Length; i++)
        {
            Marshal.FreeCoTaskMem((nint)names[i]);
        }
        BpfLink? shared = link == 0 ? null : BpfLink.OfLibbpf(link);
        foreach (PlannedProbe probe in probes)
        {
            if (shared is null)
            {
                NotAttached(probe.Index, $"kprobe-multi: {Text(errno)}");
            }
            else
            {
                Attached(probe.Index, Backend.KprobeMulti, null, LibBpf.bpf_program__fd(program));
            }
        }
        if (shared is not null)
        {
            _links.Add(shared);
        }
        return shared is not null;
    }

    private static ProbeDesc Describe(PlannedProbe planned)
    {
        ResolvedProbe probe = planned.Probe;
        ProbeDefinition definition = probe.Definition;
        byte flags = (byte)((definition.InProcess ? TraceAbi.ProbeComm : 0) | (definition.Defers ? TraceAbi.ProbeDefer : 0));
        return new ProbeDesc((ushort)planned.Index, (byte)definition.Role, (byte)definition.Param, (sbyte)probe.SkbArg, (sbyte)probe.ParamArg, (sbyte)probe.Param2Arg, flags);
    }

    private void Attached(int index, Backend backend, BpfLink? link, int programFd)
    {
        if (link is not null)
        {
            _links.Add(link);
        }
        _states[index] = _states[index] with { Backend = backend, WhyNot = null, ProgramFd = programFd };
    }

    private void NotAttached(int index, string why) => _states[index] = _states[index] with { WhyNot = why };

    private static string Text(int errno) => errno == KernelNotSupported ? "this kernel does not support it" : new Win32Exception(errno).Message;
}
