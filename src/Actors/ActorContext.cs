namespace NftCluster.Actors;

/// <summary>What an actor may do besides handling its message. Only for use by the actor itself, while it handles something.</summary>
public sealed class ActorContext<TMessage>
{
    private readonly ActorCell<TMessage> _cell;

    internal ActorContext(ActorCell<TMessage> cell) => _cell = cell;

    public ActorRef<TMessage> Self => _cell;

    public ActorSystem System => _cell.System;

    public TimeProvider Time => _cell.System.Time;

    internal ActorTimers<TMessage> Timers => _cell.Timers;

    /// <summary>Makes a child: supervised by this actor, and stopped with it.</summary>
    public ActorRef<TChild> Spawn<TChild>(string name, Func<Actor<TChild>> factory, Mailbox? mailbox = null) =>
        _cell.SpawnChild(name, factory, mailbox);

    /// <summary>Orders <paramref name="message"/> for when the target has stopped: exactly once, also if it already has.</summary>
    public void WatchWith(ActorRef target, TMessage message) => _cell.WatchWith(target, message);

    /// <summary>No message about the target is received from now on, not even one that is queued already.</summary>
    public void Unwatch(ActorRef target) => _cell.Unwatch(target);

    /// <summary>Stops this actor after the current message.</summary>
    public void StopSelf() => _cell.Stop();

    public void Stop(ActorRef child)
    {
        ArgumentNullException.ThrowIfNull(child);
        child.Stop();
    }
}
