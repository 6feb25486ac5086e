namespace NftCluster.Actors;

/// <summary>
/// One owner of mutable state: receives one message at a time, on no thread of its own.
/// Every instance that was made sees either <see cref="PostStopAsync"/> or <see cref="PreRestartAsync"/> exactly once,
/// also when its <see cref="PreStartAsync"/> threw.
/// </summary>
public abstract class Actor<TMessage>
{
    private ActorContext<TMessage>? _context;

    /// <summary>Not there yet in the constructor: use <see cref="PreStartAsync"/>.</summary>
    protected internal ActorContext<TMessage> Context =>
        _context ?? throw new InvalidOperationException("An actor has no context in its constructor; use PreStartAsync.");

    protected internal ActorTimers<TMessage> Timers => Context.Timers;

    /// <summary>Decides about failures of this actor's children.</summary>
    protected internal virtual SupervisorStrategy Supervision { get; } = new();

    /// <summary>What it throws, its supervisor decides about. While it waits, no other message is received.</summary>
    protected internal abstract ValueTask ReceiveAsync(TMessage message);

    /// <summary>Before the first message.</summary>
    protected internal virtual ValueTask PreStartAsync() => default;

    /// <summary>After the last message, when all children have stopped.</summary>
    protected internal virtual ValueTask PostStopAsync() => default;

    /// <summary>On the instance that failed, before its children are stopped and it is replaced; releases what it holds.</summary>
    protected internal virtual ValueTask PreRestartAsync(Exception cause) => PostStopAsync();

    /// <summary>On the new instance, instead of <see cref="PreStartAsync"/>; unless overridden it calls that.</summary>
    protected internal virtual ValueTask PostRestartAsync(Exception cause) => PreStartAsync();

    internal void Attach(ActorContext<TMessage> context)
    {
        if (_context is not null)
        {
            throw new InvalidOperationException($"The factory of {context.Self} must make a new actor each time it is called.");
        }

        _context = context;
    }
}
