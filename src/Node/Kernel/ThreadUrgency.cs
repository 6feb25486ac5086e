using NftCluster.Node.Kernel.Native;

namespace NftCluster.Node.Kernel;

/// <summary>
/// How the calling thread comes to a CPU beside others, for threads that do little and must do it in time. Without the right to
/// ask for that (CAP_SYS_NICE) it stays as it is: what comes late is then known less well, never wrongly.
/// </summary>
internal static unsafe class ThreadUrgency
{
    private const int Favour = -10;

    /// <summary>At once, whoever else runs: for some microseconds of work at a time.</summary>
    public static void BeforeOthers()
    {
        sched_param first = new() { sched_priority = 1 };
        _ = Libc.sched_setscheduler(0, Libc.SCHED_RR | Libc.SCHED_RESET_ON_FORK, &first);
    }

    /// <summary>Ten times the share of an ordinary thread.</summary>
    public static void Favoured()
    {
        sched_param ordinary = default;
        _ = Libc.sched_setscheduler(0, Libc.SCHED_OTHER | Libc.SCHED_RESET_ON_FORK, &ordinary);
        _ = Libc.setpriority(Libc.PRIO_PROCESS, 0, Favour);
    }
}
