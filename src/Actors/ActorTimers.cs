using System.Diagnostics.CodeAnalysis;

namespace NftCluster.Actors;

/// <summary>
/// An actor's timers by key, all cancelled when it restarts or stops. The entry is the generation: a message that a cancelled
/// or replaced timer has queued already finds another entry under its key, or none, and is discarded.
/// </summary>
public sealed class ActorTimers<TMessage>
{
    private readonly ActorCell<TMessage> _owner;
    private readonly Dictionary<object, TimerNotice> _active = [];

    internal ActorTimers(ActorCell<TMessage> owner) => _owner = owner;

    /// <summary>Replaces the timer of that key, if any.</summary>
    public void StartSingle(object key, TMessage message, TimeSpan delay)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(delay, TimeSpan.Zero);
        Start(key, message, delay, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Replaces the timer of that key, if any. A tick that comes due while the last one is still queued is skipped.</summary>
    public void StartPeriodic(object key, TMessage message, TimeSpan period)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(period, TimeSpan.Zero);
        Start(key, message, period, period);
    }

    public bool IsActive(object key) => _active.ContainsKey(key);

    public bool Cancel(object key)
    {
        if (!_active.Remove(key, out TimerNotice? timer))
        {
            return false;
        }

        timer.Dispose();
        return true;
    }

    internal void CancelAll()
    {
        foreach (TimerNotice timer in _active.Values)
        {
            timer.Dispose();
        }

        _active.Clear();
    }

    private void Start(object key, TMessage message, TimeSpan due, TimeSpan period)
    {
        Cancel(key);
        TimerNotice timer = new(this, key, message, single: period == Timeout.InfiniteTimeSpan);
        _active.Add(key, timer);
        timer.Start(due, period);
    }

    private sealed class TimerNotice(ActorTimers<TMessage> timers, object key, TMessage message, bool single)
        : Notice<TMessage>, IDisposable
    {
        private ITimer? _timer;
        private int _queued;

        public void Dispose() => _timer?.Dispose();

        internal void Start(TimeSpan due, TimeSpan period) =>
            _timer = timers._owner.System.Time.CreateTimer(static self => ((TimerNotice)self!).Fire(), this, due, period);

        internal override bool TryTake([MaybeNullWhen(false)] out TMessage taken)
        {
            Volatile.Write(ref _queued, 0);
            bool current = timers._active.TryGetValue(key, out TimerNotice? active) && active == this;
            if (current && single)
            {
                timers.Cancel(key);
            }

            taken = current ? message : default;
            return current;
        }

        private void Fire()
        {
            if (Interlocked.Exchange(ref _queued, 1) == 0)
            {
                timers._owner.SendSystem(new SystemMessage(SystemKind.Notice, Notice: this));
            }
        }
    }
}
