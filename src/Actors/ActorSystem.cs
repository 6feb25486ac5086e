using System.Collections.Concurrent;

namespace NftCluster.Actors;

/// <summary>The actors of one process: who they are, the clock they share, and their orderly end.</summary>
public sealed class ActorSystem
{
    private readonly ConcurrentDictionary<string, ActorRef> _actors = new(StringComparer.Ordinal);
    private readonly ActorSystemOptions _options;
    private readonly ActorRef _root;
    private long _deadLetters;
    private volatile bool _stopping;

    public ActorSystem(string name, TimeProvider time, ActorSystemOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        Name = name;
        Time = time;
        _options = options ?? new ActorSystemOptions();
        _root = new ActorCell<object>(this, parent: null, "/", () => new RootGuardian(_options.Supervision), Mailbox.Wait(1));
        _root.SendSystem(new SystemMessage(SystemKind.Start));
    }

    public string Name { get; }

    public TimeProvider Time { get; }

    /// <summary>Messages that nobody will receive: told to a stopped actor, or still queued when it stopped.</summary>
    public long DeadLetters => Interlocked.Read(ref _deadLetters);

    public Task WhenStopped => _root.WhenStopped;

    /// <summary>Makes an actor at the top. From inside an actor, use <c>Context.Spawn</c>: the child is then its own.</summary>
    public ActorRef<TMessage> Spawn<TMessage>(string name, Func<Actor<TMessage>> factory, Mailbox? mailbox = null)
    {
        if (_stopping)
        {
            throw new InvalidOperationException($"The actor system '{Name}' is stopping: nothing can be spawned any more.");
        }

        ActorCell<TMessage> cell = Create(_root, name, factory, mailbox);

        // In this order: a failure of the child must not reach the root before the root knows the child.
        _root.SendSystem(new SystemMessage(SystemKind.AddChild, cell));
        cell.SendSystem(new SystemMessage(SystemKind.Start));
        return cell;
    }

    /// <summary>
    /// Stops all actors, children before parents. Returns the paths of those that had not stopped in time (an actor whose
    /// message does not end, and those above it that wait for it): none, when all is well. May be called again.
    /// </summary>
    public async Task<IReadOnlyList<string>> StopAsync(TimeSpan timeout, CancellationToken cancellationToken = default)
    {
        _stopping = true;
        _root.Stop();
        try
        {
            await _root.WhenStopped.WaitAsync(timeout, Time, cancellationToken);
            return [];
        }
        catch (TimeoutException)
        {
            return [.. _actors.Keys.Order(StringComparer.Ordinal)];
        }
    }

    internal ActorCell<TMessage> Create<TMessage>(ActorRef parent, string name, Func<Actor<TMessage>> factory, Mailbox? mailbox)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        ArgumentNullException.ThrowIfNull(factory);
        if (name.Contains('/', StringComparison.Ordinal))
        {
            throw new ArgumentException($"'{name}' is no name for an actor: '/' separates the names in a path.", nameof(name));
        }

        string path = parent == _root ? $"/{name}" : $"{parent.Path}/{name}";
        ActorCell<TMessage> cell = new(this, parent, path, factory, mailbox ?? Mailbox.Wait());
        return _actors.TryAdd(path, cell)
            ? cell
            : throw new InvalidOperationException($"{path} is running already; wait for its WhenStopped, or choose another name.");
    }

    internal void Forget(ActorRef actor) => _actors.TryRemove(KeyValuePair.Create(actor.Path, actor));

    internal void CountDeadLetter<TMessage>(string path, TMessage message)
    {
        Interlocked.Increment(ref _deadLetters);
        if (_options.OnDeadLetter is { } observer)
        {
            Observe(observer, new DeadLetter(path, message));
        }
    }

    internal void Report(ActorFailure failure)
    {
        if (_options.OnFailure is { } observer)
        {
            Observe(observer, failure);
        }
    }

    private static void Observe<TReport>(Action<TReport> observer, TReport report)
    {
        try
        {
            observer(report);
        }
        catch (Exception)
        {
            // The host's observer threw: it has no supervisor, and an actor must not fail because its failure could not be logged.
        }
    }

    private sealed class RootGuardian(SupervisorStrategy supervision) : Actor<object>
    {
        protected internal override SupervisorStrategy Supervision { get; } = supervision;

        protected internal override ValueTask ReceiveAsync(object message) => default;
    }
}
