namespace NftCluster.Actors;

/// <summary>From the first instance through its successors to the end.</summary>
internal sealed partial class ActorCell<TMessage>
{
    private readonly TaskCompletionSource _stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Func<Actor<TMessage>> _factory;
    private readonly ActorContext<TMessage> _context;
    private Phase _phase;
    private bool _receiving;
    private bool _started;
    private Actor<TMessage>? _actor;
    private Exception? _restartCause;
    private ITimer? _backOff;
    private ActorTimers<TMessage>? _timers;

    private enum Phase
    {
        Created,
        Running,

        /// <summary>Waits for its supervisor's decision; its messages wait too.</summary>
        Failed,

        /// <summary>Waits for its children to stop, and for the end of its back-off.</summary>
        Restarting,

        /// <summary>Waits for its children to stop.</summary>
        Stopping,
        Stopped,
    }

    public override Task WhenStopped => _stopped.Task;

    internal ActorTimers<TMessage> Timers => _timers ??= new ActorTimers<TMessage>(this);

    private async ValueTask HandleSystemLaneAsync()
    {
        while (_system.TryDequeue(out SystemMessage message))
        {
            try
            {
                await HandleSystemAsync(message);
            }
            catch (Exception error)
            {
                // The factory or the start hook of a new instance threw.
                Fail(error);
            }
        }
    }

    private ValueTask HandleSystemAsync(in SystemMessage message)
    {
        switch (message.Kind)
        {
            case SystemKind.Start when _phase == Phase.Created:
                return StartAsync(restartCause: null);
            case SystemKind.Stop:
                return BeginStopAsync();
            case SystemKind.Drain:
                _draining = true;
                break;
            case SystemKind.AddChild:
                AddChild(message.Subject!);
                break;
            case SystemKind.ChildStopped:
                return RemoveChildAsync(message.Subject!);
            case SystemKind.ChildFailed:
                return SuperviseAsync(message.Subject!, message.Error!);
            case SystemKind.Resume when _phase == Phase.Failed:
                return ResumeAsync();
            case SystemKind.Restart when _phase == Phase.Failed:
                return BeginRestartAsync(message.Error!, message.BackOff);
            case SystemKind.BackOffOver:
                EndBackOff();
                return ContinueRestartAsync();
            case SystemKind.Watch:
                AddWatcher(message.Subject!);
                break;
            case SystemKind.Unwatch:
                _watchers?.Remove(message.Subject!);
                break;
            case SystemKind.TargetStopped:
                QueueDeath(message.Subject!);
                break;
            case SystemKind.Notice:
                Queue((Notice<TMessage>)message.Notice!);
                break;
        }

        return default;
    }

    private async ValueTask StartAsync(Exception? restartCause)
    {
        _started = false;
        _actor = _factory();
        _actor.Attach(_context);
        await (restartCause is null ? _actor.PreStartAsync() : _actor.PostRestartAsync(restartCause));
        _started = true;
        Receive();
    }

    private void Receive()
    {
        _phase = Phase.Running;
        _receiving = true;
    }

    private async ValueTask ResumeAsync()
    {
        if (!_started)
        {
            // There is no state to go on with.
            await BeginStopAsync();
            return;
        }

        Receive();
        ResumeEscalated();
    }

    private async ValueTask BeginRestartAsync(Exception cause, TimeSpan backOff)
    {
        _phase = Phase.Restarting;
        _restartCause = cause;
        _timers?.CancelAll();
        if (_actor is { } failed)
        {
            await RunHookAsync(() => failed.PreRestartAsync(cause), Directive.Restart);
            _actor = null;
        }

        _timers?.CancelAll();
        StopChildren();
        if (backOff > TimeSpan.Zero)
        {
            _backOff = System.Time.CreateTimer(
                static self => ((ActorCell<TMessage>)self!).SendSystem(new SystemMessage(SystemKind.BackOffOver)),
                this, backOff, Timeout.InfiniteTimeSpan);
        }

        await ContinueRestartAsync();
    }

    private async ValueTask ContinueRestartAsync()
    {
        if (_phase == Phase.Restarting && _backOff is null && _children is null or { Count: 0 })
        {
            await StartAsync(_restartCause);
        }
    }

    private void EndBackOff()
    {
        _backOff?.Dispose();
        _backOff = null;
    }

    private async ValueTask BeginStopAsync()
    {
        if (_phase >= Phase.Stopping)
        {
            return;
        }

        _phase = Phase.Stopping;
        _receiving = false;
        Close();
        EndBackOff();
        _timers?.CancelAll();
        while (_messages.Reader.TryRead(out TMessage? message))
        {
            System.CountDeadLetter(Path, message);
        }

        while (_notices is not null && _notices.TryDequeue(out (long Due, Notice<TMessage> Notice) next))
        {
            next.Notice.Discard();
        }

        StopChildren();
        await ContinueStopAsync();
    }

    private async ValueTask ContinueStopAsync()
    {
        if (_phase != Phase.Stopping || _children is { Count: > 0 })
        {
            return;
        }

        if (_actor is { } last)
        {
            await RunHookAsync(last.PostStopAsync, Directive.Stop);
            _actor = null;
        }

        _timers?.CancelAll();
        _phase = Phase.Stopped;
        System.Forget(this);
        UnwatchAll();
        NotifyWatchers();
        _parent?.SendSystem(new SystemMessage(SystemKind.ChildStopped, this));
        _stopped.TrySetResult();
    }

    private async ValueTask RunHookAsync(Func<ValueTask> hook, Directive decided)
    {
        try
        {
            await hook();
        }
        catch (Exception error)
        {
            // The instance is on its way out already: its last error is reported and changes nothing.
            System.Report(new ActorFailure(Path, error, decided, TimeSpan.Zero));
        }
    }
}
