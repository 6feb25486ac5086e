using System.Runtime.InteropServices;
using NftCluster.Node.Kernel.Native;

namespace NftCluster.Node.Kernel;

/// <summary>The programs of bpf/kprobe.bpf.c: functions that no typed program could be attached to, by kprobe-multi, else one by one.</summary>
internal sealed class KprobePrograms(TracingPrograms maps, Attachments results) : IDisposable
{
    private const string SingleProgram = "observe_kprobe";
    private const string MultiProgram = "observe_kprobe_multi";
    private const string SingleDoor = "observe_kprobe_door_";
    private const string MultiDoor = "observe_kprobe_multi_door_";

    private readonly Dictionary<int, string> _doors = [];
    private BpfObject? _object;

    public void LoadAndAttach(PlannedProbe[] probes)
    {
        Load(probes);
        Attach(probes);
    }

    public void Dispose() => _object?.Dispose();

    private void Load(PlannedProbe[] probes)
    {
        _object = BpfObject.Open(BpfObjects.Kprobe, "kprobe");
        _object.ChooseNone();
        foreach (string map in BpfObjects.SharedMaps)
        {
            _ = LibBpf.bpf_map__reuse_fd(_object.Map(map), maps.MapFd(map));
        }
        bool multi = probes[0].Backends.Contains(Backend.KprobeMulti);
        bool single = probes[0].Backends.Contains(Backend.Kprobe);
        Span<ProbeDesc> descriptions = _object.ReadOnlyData<ProbeDesc>(".rodata", TraceAbi.MaxProbes + TraceAbi.FentryDoors);
        SlotRow doors = new(multi ? MultiDoor : SingleDoor, TraceAbi.MaxProbes, TraceAbi.FentryDoors, TraceAbi.FentryDoors);
        foreach (PlannedProbe probe in probes)
        {
            descriptions[probe.Index] = probe.Describe();
            if (SlotRow.IsDoor(probe.Probe.Definition.Role))
            {
                (string name, int row) = doors.Take(probe.Probe.Definition.Role);
                descriptions[row] = probe.Describe();
                _doors[probe.Index] = name;
                _ = LibBpf.bpf_program__set_autoload(_object.Program(name), true);
            }
        }
        _ = LibBpf.bpf_program__set_autoload(_object.Program(MultiProgram), multi);
        _ = LibBpf.bpf_program__set_autoload(_object.Program(SingleProgram), single);
        int errno = _object.Load();
        if (errno != 0)
        {
            throw new KernelException($"the kprobe programs cannot be loaded: {Attachments.Text(errno)}: {LibbpfLog.LastLine(LibbpfLog.Captured)}");
        }
    }

    private unsafe void Attach(PlannedProbe[] probes)
    {
        PlannedProbe[] multi = [.. probes.Where(p => p.Backends.Contains(Backend.KprobeMulti))];
        PlannedProbe[] steps = [.. multi.Where(p => !_doors.ContainsKey(p.Index))];
        AttachMultiHalves(steps);
        foreach (PlannedProbe door in multi.Where(p => _doors.ContainsKey(p.Index)))
        {
            _ = AttachMulti([door], _doors[door.Index]);
        }
        foreach (PlannedProbe probe in probes.Where(p => results.States[p.Index].Backend is null && p.Backends.Contains(Backend.Kprobe)))
        {
            string name = _doors.GetValueOrDefault(probe.Index, SingleProgram);
            if (name.StartsWith(MultiProgram, StringComparison.Ordinal))
            {
                continue; // A door has one program: it was kprobe-multi's.
            }
            nint program = _object!.Program(name);
            bpf_kprobe_opts options = new() { sz = (nuint)sizeof(bpf_kprobe_opts), bpf_cookie = (ulong)probe.Index };
            nint link = LibBpf.bpf_program__attach_kprobe_opts(program, probe.Probe.Definition.Name, &options);
            if (link == 0)
            {
                results.NotAttached(probe.Index, $"kprobe: {Attachments.Text(Marshal.GetLastPInvokeError())}");
                continue;
            }
            results.Attached(probe.Index, Backend.Kprobe, BpfLink.OfLibbpf(link), LibBpf.bpf_program__fd(program));
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

    private unsafe bool AttachMulti(PlannedProbe[] probes, string name)
    {
        nint program = _object!.Program(name);
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
                results.NotAttached(probe.Index, $"kprobe-multi: {Attachments.Text(errno)}");
            }
            else
            {
                results.Attached(probe.Index, Backend.KprobeMulti, null, LibBpf.bpf_program__fd(program));
            }
        }
        if (shared is not null)
        {
            results.Own(shared);
        }
        return shared is not null;
    }
}
