using System.Runtime.InteropServices;

namespace NftCluster.Node.Kernel.Native;

/// <summary>The few libc calls that .NET has no face for.</summary>
internal static unsafe partial class Libc
{
    private const string Soname = "libc.so.6";

    public const int PROT_READ = 1;
    public const int PROT_WRITE = 2;
    public const int MAP_SHARED = 1;
    public const int CLONE_NEWNET = 0x40000000;
    public const short POLLIN = 1;
    public const int CLOCK_MONOTONIC = 1;
    public const int CLOCK_REALTIME = 0;
    public const int SCHED_OTHER = 0;
    public const int SCHED_RR = 2;

    /// <summary>Added to a policy: threads that this one starts are ordinary ones again.</summary>
    public const int SCHED_RESET_ON_FORK = 0x40000000;
    public const int PRIO_PROCESS = 0;

    /// <summary>MAP_FAILED is -1.</summary>
    [LibraryImport(Soname, SetLastError = true)]
    public static partial nint mmap(nint addr, nuint length, int prot, int flags, int fd, nint offset);

    [LibraryImport(Soname)]
    public static partial int munmap(nint addr, nuint length);

    [LibraryImport(Soname, SetLastError = true)]
    public static partial int poll(pollfd* fds, nuint nfds, int timeout);

    [LibraryImport(Soname, SetLastError = true)]
    public static partial int ppoll(pollfd* fds, nuint nfds, timespec* timeout, void* sigmask);

    /// <summary>0 = the calling thread.</summary>
    [LibraryImport(Soname, SetLastError = true)]
    public static partial int sched_setscheduler(int pid, int policy, sched_param* param);

    /// <summary>With PRIO_PROCESS and 0: the calling thread only, on Linux.</summary>
    [LibraryImport(Soname, SetLastError = true)]
    public static partial int setpriority(int which, int who, int prio);

    [LibraryImport(Soname, SetLastError = true)]
    public static partial int setns(int fd, int nstype);

    [LibraryImport(Soname)]
    public static partial int close(int fd);

    [LibraryImport(Soname)]
    public static partial uint geteuid();

    [LibraryImport(Soname)]
    public static partial int clock_gettime(int clock, timespec* time);

    /// <summary>The devices of the thread's namespace, ended by index 0; null on failure.</summary>
    [LibraryImport(Soname)]
    public static partial if_nameindex* if_nameindex();

    [LibraryImport(Soname)]
    public static partial void if_freenameindex(if_nameindex* devices);

    /// <summary>bpf(2) has no wrapper in libc; libbpf 1.1 has none for netfilter links.</summary>
    [LibraryImport(Soname, EntryPoint = "syscall", SetLastError = true)]
    public static partial nint syscall_bpf(nint number, int cmd, void* attr, uint size);
}

[StructLayout(LayoutKind.Sequential)]
internal struct sched_param
{
    public int sched_priority;
}

[StructLayout(LayoutKind.Sequential)]
internal struct pollfd
{
    public int fd;
    public short events;
    public short revents;
}

[StructLayout(LayoutKind.Sequential)]
internal struct timespec
{
    public long tv_sec;
    public long tv_nsec;

    public readonly long Nanoseconds => tv_sec * 1_000_000_000 + tv_nsec;

    public static timespec Of(TimeSpan time) => new() { tv_sec = time.Ticks / TimeSpan.TicksPerSecond, tv_nsec = time.Ticks % TimeSpan.TicksPerSecond * TimeSpan.NanosecondsPerTick };
}

[StructLayout(LayoutKind.Sequential)]
internal struct if_nameindex
{
    public uint if_index;
    public nint if_name;
}
