namespace NftCluster.Actors;

/// <summary>The family: children, what is decided about their failures, and how this actor's own failure reaches its parent.</summary>
internal sealed partial class ActorCell<TMessage>
{
    private readonly ActorRef? _parent;
    private Dictionary<ActorRef, RestartHistory?>? _children;
    private List<ActorRef>? _escalated;

    internal ActorRef<TChild> SpawnChild<TChild>(string name, Func<Actor<TChild>> factory, Mailbox? mailbox)
    {
        if (_phase >= Phase.Stopping)
        {
            throw new InvalidOperationException($"{Path} is stopping: it cannot spawn '{name}' any more.");
        }

        ActorCell<TChild> child = System.Create(this, name, factory, mailbox);
        AddChild(child);
        child.SendSystem(new SystemMessage(SystemKind.Start));
        return child;
    }

    private void AddChild(ActorRef child)
    {
        _children ??= [];
        _children.Add(child, null);
        if (_phase >= Phase.Stopping)
        {
            // Spawned at the top while the system began to stop.
            child.Stop();
        }
    }

    private void StopChildren()
    {
        _escalated = null;
        foreach (ActorRef child in _children?.Keys ?? Enumerable.Empty<ActorRef>())
        {
            // Who comes after this instance knows nothing of these children.
            Unwatch(child);
            child.Stop();
        }
    }

    private async ValueTask RemoveChildAsync(ActorRef child)
    {
        _children?.Remove(child);
        await ContinueRestartAsync();
        await ContinueStopAsync();
    }

    private ValueTask SuperviseAsync(ActorRef child, Exception error)
    {
        if (_phase >= Phase.Restarting || _children is null || !_children.TryGetValue(child, out RestartHistory? history))
        {
            // The child has been told to stop already.
            System.Report(new ActorFailure(child.Path, error, Directive.Stop, TimeSpan.Zero));
            return default;
        }

        SupervisorStrategy strategy = _actor?.Supervision ?? SupervisorStrategy.StopAlways;
        TimeSpan backOff = TimeSpan.Zero;
        Directive decision = Decide(strategy, ref error);
        if (decision == Directive.Restart)
        {
            _children[child] = history ??= new RestartHistory(System.Time);
            if (!history.TrySpend(strategy, out backOff))
            {
                (decision, backOff) = (strategy.WhenExhausted, TimeSpan.Zero);
            }
        }

        System.Report(new ActorFailure(child.Path, error, decision, backOff));
        switch (decision)
        {
            case Directive.Resume:
                child.SendSystem(new SystemMessage(SystemKind.Resume));
                break;
            case Directive.Restart:
                child.SendSystem(new SystemMessage(SystemKind.Restart, Error: error, BackOff: backOff));
                break;
            case Directive.Stop:
                child.Stop();
                break;
            default:
                return EscalateAsync(child, error);
        }

        return default;
    }

    private static Directive Decide(SupervisorStrategy strategy, ref Exception error)
    {
        try
        {
            return strategy.Decide(error);
        }
        catch (Exception broken)
        {
            // A strategy that cannot decide leaves it to the next one up.
            error = new AggregateException(error, broken);
            return Directive.Escalate;
        }
    }

    private ValueTask EscalateAsync(ActorRef child, Exception error)
    {
        if (_parent is null)
        {
            // Nobody is above the root: the system stops.
            return BeginStopAsync();
        }

        _escalated ??= [];
        _escalated.Add(child);
        Fail(error);
        return default;
    }

    private void ResumeEscalated()
    {
        foreach (ActorRef child in _escalated ?? Enumerable.Empty<ActorRef>())
        {
            child.SendSystem(new SystemMessage(SystemKind.Resume));
        }

        _escalated = null;
    }

    private void Fail(Exception error)
    {
        if (_phase is Phase.Failed or >= Phase.Stopping)
        {
            // A decision is on its way, and it covers this too.
            return;
        }

        _phase = Phase.Failed;
        _receiving = false;
        _parent?.SendSystem(new SystemMessage(SystemKind.ChildFailed, this, error));
    }
}
