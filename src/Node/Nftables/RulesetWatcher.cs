using NftCluster.Node.Kernel;

namespace NftCluster.Node.Nftables;

/// <summary>How often the watcher asks for the generation.</summary>
internal sealed record RulesetWatcherOptions
{
    /// <summary>While nothing changes: how late a verdict can be bound, and how wide the doubt around the first change is.</summary>
    public TimeSpan QuietTick { get; init; } = TimeSpan.FromMilliseconds(10);

    /// <summary>After a change: reloads come in rows, and the doubt around each is as wide as this. A question costs some 5 µs.</summary>
    public TimeSpan BusyTick { get; init; } = TimeSpan.FromMicroseconds(250);

    public int BusyForMs { get; init; } = 2_000;

    public RuleTexts Texts { get; init; } = RuleTexts.Stateless;
}

/// <summary>
/// Watches the ruleset of one namespace with two threads that share nothing but a signal: one hears the kernel's announcements and gives each
/// its time at once, the other reads the ruleset, which takes milliseconds. Both only tell facts; who owns the history decides.
/// </summary>
internal sealed class RulesetWatcher(string? netnsPath, Action<RulesetFact> tell, RulesetWatcherOptions options) : IDisposable
{
    /// <summary>A read that finds another generation at its end waits before the next try: 1, 2, 4 … 64 ms.</summary>
    private const int LongestBackOffMs = 64;

    private readonly AutoResetEvent _changed = new(initialState: true);
    private readonly List<Thread> _threads = [];
    private volatile bool _stopping;

    /// <summary>Returns at once; the first <see cref="GenerationConfirmed"/> says that it watches.</summary>
    public void Start()
    {
        Start("nftcluster ruleset", ThreadUrgency.BeforeOthers, Listen);
        Start("nftcluster read rules", ThreadUrgency.Favoured, ReadChanges);
    }

    public void Dispose()
    {
        _stopping = true;
        _changed.Set();
        foreach (Thread thread in _threads)
        {
            thread.Join();
        }
        _changed.Dispose();
    }

    private void Start(string name, Action beUrgent, Action body)
    {
        Thread thread = new(() => Guarded(beUrgent + body)) { IsBackground = true, Name = name };
        _threads.Add(thread);
        thread.Start();
    }

    private void Guarded(Action body)
    {
        try
        {
            if (netnsPath is not null)
            {
                NetworkNamespace.Enter(netnsPath);
            }
            body();
        }
        catch (Exception failure)
        {
            // The thread's outer edge: the owner decides.
            tell(new WatchFailed(failure));
        }
    }

    private void Listen()
    {
        using var netlink = new NftNetlink();
        using var announcements = GenerationListener.Open();
        Confirmations confirmations = new(tell);
        confirmations.Take(netlink.AskGeneration());
        long busyUntil = 0;
        while (!_stopping)
        {
            _ = announcements.Wait(Environment.TickCount64 < busyUntil ? options.BusyTick : options.QuietTick);
            bool any = false;
            while (announcements.TryTake() is { } fact)
            {
                confirmations.TellLast();
                tell(fact);
                any = true;
            }
            // After the announcements that were there: what it says is at least as new as they.
            confirmations.Take(netlink.AskGeneration());
            if (any)
            {
                busyUntil = Environment.TickCount64 + options.BusyForMs;
                _changed.Set();
            }
        }
    }

    /// <summary>Most only repeat the one before: a few are told, and always the last before a change, which bounds it.</summary>
    private sealed class Confirmations(Action<RulesetFact> tell)
    {
        private const long OftenEnoughNs = 5_000_000;

        private GenerationConfirmed? _held;
        private GenerationConfirmed? _told;

        public void Take(GenerationConfirmed fact)
        {
            if (_held is not null && _held.Generation != fact.Generation)
            {
                TellLast();
            }
            _held = fact;
            if (_told is null || _told.Generation != fact.Generation || fact.AskedNs - _told.AskedNs >= OftenEnoughNs)
            {
                TellLast();
            }
        }

        public void TellLast()
        {
            if (_held is not null)
            {
                tell(_told = _held);
                _held = null;
            }
        }
    }

    private void ReadChanges()
    {
        using RulesetReader reader = new();
        int backOff = 0;
        while (!_stopping)
        {
            if (backOff == 0)
            {
                _changed.WaitOne();
            }
            else
            {
                _changed.WaitOne(backOff); // a change meanwhile is read with the next try
            }
            if (_stopping)
            {
                return;
            }
            RulesetRead? read = reader.TryRead(options.Texts);
            backOff = read is not null ? 0 : Math.Min(Math.Max(1, backOff * 2), LongestBackOffMs);
            if (read is not null)
            {
                tell(read);
            }
        }
    }
}
