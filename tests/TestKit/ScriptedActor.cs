using NftCluster.Actors;

namespace NftCluster.TestKit;

/// <summary>An actor whose behaviour the test writes in place.</summary>
public sealed class ScriptedActor<TMessage> : Actor<TMessage>
{
    public new ActorContext<TMessage> Context => base.Context;

    public new ActorTimers<TMessage> Timers => base.Timers;

    public Func<ScriptedActor<TMessage>, TMessage, ValueTask> OnMessageAsync { get; init; } = static (_, _) => default;

    public Action<ScriptedActor<TMessage>, TMessage>? OnMessage { get; init; }

    public Action<ScriptedActor<TMessage>>? OnPreStart { get; init; }

    public Action? OnPostStop { get; init; }

    public Action<Exception>? OnPreRestart { get; init; }

    public Action<Exception>? OnPostRestart { get; init; }

    public SupervisorStrategy Strategy { get; init; } = new();

    protected override SupervisorStrategy Supervision => Strategy;

    protected override ValueTask ReceiveAsync(TMessage message)
    {
        OnMessage?.Invoke(this, message);
        return OnMessageAsync(this, message);
    }

    protected override ValueTask PreStartAsync()
    {
        OnPreStart?.Invoke(this);
        return default;
    }

    protected override ValueTask PostStopAsync()
    {
        OnPostStop?.Invoke();
        return default;
    }

    protected override ValueTask PreRestartAsync(Exception cause)
    {
        OnPreRestart?.Invoke(cause);
        return base.PreRestartAsync(cause);
    }

    protected override ValueTask PostRestartAsync(Exception cause)
    {
        OnPostRestart?.Invoke(cause);
        return base.PostRestartAsync(cause);
    }
}
