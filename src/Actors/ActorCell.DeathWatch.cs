using System.Diagnostics.CodeAnalysis;

namespace NftCluster.Actors;

/// <summary>
/// Death watch, both sides. A stopped cell still answers its system lane, so a watch that comes late is answered like any other;
/// the watcher's own table makes the answer count once.
/// </summary>
internal sealed partial class ActorCell<TMessage>
{
    private HashSet<ActorRef>? _watchers;
    private Dictionary<ActorRef, DeathNotice>? _watching;

    internal void WatchWith(ActorRef target, TMessage message)
    {
        ArgumentNullException.ThrowIfNull(target);
        _watching ??= [];
        _watching[target] = new DeathNotice(_watching, target, message);
        target.SendSystem(new SystemMessage(SystemKind.Watch, this));
    }

    internal void Unwatch(ActorRef target)
    {
        ArgumentNullException.ThrowIfNull(target);
        if (_watching is not null && _watching.Remove(target))
        {
            target.SendSystem(new SystemMessage(SystemKind.Unwatch, this));
        }
    }

    private void AddWatcher(ActorRef watcher)
    {
        if (_phase == Phase.Stopped)
        {
            watcher.SendSystem(new SystemMessage(SystemKind.TargetStopped, this));
            return;
        }

        _watchers ??= [];
        _watchers.Add(watcher);
    }

    private void NotifyWatchers()
    {
        foreach (ActorRef watcher in _watchers ?? Enumerable.Empty<ActorRef>())
        {
            watcher.SendSystem(new SystemMessage(SystemKind.TargetStopped, this));
        }

        _watchers = null;
    }

    private void QueueDeath(ActorRef target)
    {
        if (_watching is not null && _watching.TryGetValue(target, out DeathNotice? notice))
        {
            Queue(notice);
        }
    }

    private void UnwatchAll()
    {
        foreach (ActorRef target in _watching?.Keys ?? Enumerable.Empty<ActorRef>())
        {
            target.SendSystem(new SystemMessage(SystemKind.Unwatch, this));
        }

        _watching = null;
    }

    private sealed class DeathNotice(Dictionary<ActorRef, DeathNotice> watching, ActorRef target, TMessage message) : Notice<TMessage>
    {
        internal override bool TryTake([MaybeNullWhen(false)] out TMessage taken)
        {
            bool current = watching.TryGetValue(target, out DeathNotice? active) && active == this;
            if (current)
            {
                watching.Remove(target);
            }

            taken = current ? message : default;
            return current;
        }
    }
}
