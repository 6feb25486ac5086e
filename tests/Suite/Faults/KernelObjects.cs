using NftCluster.Node.Kernel.Native;

namespace NftCluster.Tests.Faults;

/// <summary>BPF programs, maps and links that the kernel holds, and which processes hold them.</summary>
internal static unsafe class KernelObjects
{
    private const int MapGetFdById = 14;
    private const int MapNameOffset = 24;
    private const int NameLength = 16;

    // bpf(2): BPF_PROG_GET_NEXT_ID, BPF_MAP_GET_NEXT_ID, BPF_LINK_GET_NEXT_ID
    private static readonly (string Kind, int NextId)[] _kinds = [("prog", 11), ("map", 12), ("link", 31)];

    public static HashSet<string> All()
    {
        HashSet<string> all = new(StringComparer.Ordinal);
        uint* attributes = stackalloc uint[4];
        foreach ((string kind, int command) in _kinds)
        {
            new Span<uint>(attributes, 4).Clear();
            while (BpfSyscall.Call(command, attributes, 16) == 0)
            {
                all.Add($"{kind} {attributes[1]}");
                attributes[0] = attributes[1]; // next_id becomes start_id
            }
        }
        return all;
    }

    /// <summary>What a process has open; nothing when it is gone.</summary>
    public static HashSet<string> HeldBy(int pid)
    {
        HashSet<string> held = new(StringComparer.Ordinal);
        try
        {
            foreach (string file in Directory.EnumerateFiles($"/proc/{pid}/fdinfo"))
            {
                held.UnionWith(IdsIn(file));
            }
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            // It ended meanwhile.
        }
        return held;
    }

    public static int[] ProgramsOf(int pid) =>
        [.. HeldBy(pid).Where(o => o.StartsWith("prog ", StringComparison.Ordinal)).Select(o => int.Parse(o.AsSpan(5))).Order()];

    /// <summary>Objects that are new and that no living process holds: other tests and users of this machine have theirs open.</summary>
    public static IReadOnlyCollection<string> Orphans(IReadOnlySet<string> before)
    {
        HashSet<string> left = All();
        left.ExceptWith(before);
        if (left.Count > 0)
        {
            foreach (string process in Directory.EnumerateDirectories("/proc").Where(path => int.TryParse(Path.GetFileName(path), out _)))
            {
                left.ExceptWith(HeldBy(int.Parse(Path.GetFileName(process))));
            }
        }
        return left;
    }

    /// <summary>The kernel frees programs and maps some time after their last user.</summary>
    public static Task GoneAsync(IReadOnlySet<string> before) =>
        Eventually.HoldsAsync(() => Orphans(before).Count == 0, () => $"nobody holds them and still there are {string.Join(", ", Orphans(before))}");

    /// <summary>A descriptor of our own for another process's map: it can be read when that process is gone.</summary>
    public static int OpenMap(int pid, string name)
    {
        byte* info = stackalloc byte[88];
        ulong* attributes = stackalloc ulong[2];
        foreach (uint id in HeldBy(pid).Where(o => o.StartsWith("map ", StringComparison.Ordinal)).Select(o => uint.Parse(o.AsSpan(4))))
        {
            attributes[0] = id;
            attributes[1] = 0;
            int fd = BpfSyscall.Call(MapGetFdById, attributes, 16);
            uint length = 88;
            new Span<byte>(info, 88).Clear();
            if (fd >= 0 && LibBpf.bpf_obj_get_info_by_fd(fd, info, &length) == 0
                && System.Text.Encoding.ASCII.GetString(info + MapNameOffset, NameLength).TrimEnd('\0') == name)
            {
                return fd;
            }
            if (fd >= 0)
            {
                _ = Libc.close(fd);
            }
        }
        throw new InvalidOperationException($"the process has no map '{name}'");
    }

    /// <summary>Records that the kernel half wanted to write, and those it could not.</summary>
    public static (long Attempted, long Lost) ReadCounters(int countersFd)
    {
        (long attempted, long lost) = (0, 0);
        for (uint cpu = 0; cpu < TraceAbi.MaxCpus; cpu++)
        {
            CpuCounters counters;
            Assert.Equal(0, LibBpf.bpf_map_lookup_elem(countersFd, &cpu, &counters));
            attempted += (long)counters.Attempted;
            lost += (long)counters.Lost;
        }
        return (attempted, lost);
    }

    // The line of a program, map or link reads "prog_id:\t17"; a link names its program, too.
    private static IEnumerable<string> IdsIn(string file)
    {
        string[] lines;
        try
        {
            lines = File.ReadAllLines(file);
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            // That descriptor was closed meanwhile.
            return [];
        }
        return lines.Where(line => _kinds.Any(k => line.StartsWith($"{k.Kind}_id:", StringComparison.Ordinal)))
            .Select(line => $"{line[..line.IndexOf('_', StringComparison.Ordinal)]} {line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim()}");
    }
}
