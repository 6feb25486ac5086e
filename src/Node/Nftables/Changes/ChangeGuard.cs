using System.Globalization;
using System.Runtime.InteropServices;
using NftCluster.Node.Kernel;

namespace NftCluster.Node.Nftables.Changes;

/// <summary>
/// The guard's side: 1 leave the caller's session · 2 see that undoing is possible · 3 announce the waiting change · 4 say ready ·
/// 5 wait for the confirmation, which takes the announcement away · 6 or undo. SIGTERM undoes at once: nobody is left to do it later.
/// </summary>
internal sealed partial class ChangeGuard(ChangeStore store, string changeId, int seconds, TimeProvider time)
{
    private const int MostTries = 10;
    private static readonly TimeSpan _look = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan _beforeNextTry = TimeSpan.FromSeconds(1);

    private readonly uint _netnsInode = NetworkNamespace.Inode(NetworkNamespace.Own);

    public static string Ready(uint netnsInode) => $"ready {netnsInode}";

    /// <summary>Runs in the namespace of the process.</summary>
    public void Run(TextWriter output)
    {
        // 1: the terminal's hang-up and Ctrl-C are for others.
        _ = setsid();
        using ManualResetEvent terminated = new(initialState: false);
        using var hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, signal => signal.Cancel = true);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, signal => signal.Cancel = true);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal =>
        {
            signal.Cancel = true;
            terminated.Set();
        });
        // 2: library, rights and namespace are used once before they are needed.
        _ = RulesetPicture.Take();
        // 3
        ChangeFile change = store.Find(changeId) ?? throw new RuleChangeException($"there is no change {changeId}");
        long began = time.GetTimestamp();
        string until = time.GetUtcNow().AddSeconds(seconds).ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);
        store.SetPending(_netnsInode, new PendingConfirmation(changeId, Environment.ProcessId, StartOf(Environment.ProcessId) ?? "", until, change.Netns));
        // 4
        output.WriteLine(Ready(_netnsInode));
        output.Flush();
        // 5
        while (time.GetElapsedTime(began) < TimeSpan.FromSeconds(seconds) && !terminated.WaitOne(_look))
        {
            if (!IsWaiting())
            {
                return;
            }
        }
        // 6
        UndoAtLast(change.Netns);
    }

    /// <summary>Whether the guard of this change still lives: a number alone may be somebody else's by now.</summary>
    public static bool IsAlive(PendingConfirmation pending) => StartOf(pending.GuardPid) is { } started && started == pending.GuardStarted;

    private bool IsWaiting() => store.Pending(_netnsInode)?.Id == changeId;

    private void UndoAtLast(string netns)
    {
        RulesetChanger changer = new(store, netns, _netnsInode, time, Author.Current());
        for (int i = 1; ; i++)
        {
            try
            {
                // The lock: whoever makes or confirms the change right now comes first.
                using IDisposable turn = store.Lock();
                if (!IsWaiting() || store.Find(changeId) is not { } change)
                {
                    return;
                }
                _ = changer.Undo(change, force: true, "auto-undo", $"not confirmed within {seconds} s");
                return;
            }
            catch (Exception failure) when (failure is RuleChangeException or KernelException or IOException)
            {
                if (i == MostTries)
                {
                    store.Log(changer.Failed(changeId, "auto-undo", failure.Message));
                    return;
                }
                Thread.Sleep(_beforeNextTry);
            }
        }
    }

    /// <summary>The 22nd field of /proc/PID/stat: when the process began, in ticks since the machine did.</summary>
    private static string? StartOf(int pid)
    {
        const int FieldBehindName = 19;
        try
        {
            string status = File.ReadAllText($"/proc/{pid}/stat");
            string[] fields = status[(status.LastIndexOf(')') + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
            return fields[FieldBehindName];
        }
        catch (IOException)
        {
            return null;
        }
    }

    [LibraryImport("libc.so.6")]
    private static partial int setsid();
}
