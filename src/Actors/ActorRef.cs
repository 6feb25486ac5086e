namespace NftCluster.Actors;

/// <summary>The address of an actor, whatever its protocol: its name, its end, and how to bring that about.</summary>
public abstract class ActorRef
{
    private protected ActorRef(ActorSystem system, string path)
    {
        System = system;
        Path = path;
    }

    public string Path { get; }

    /// <summary>Completes after the actor's last act; its messages are all accounted for by then.</summary>
    public abstract Task WhenStopped { get; }

    /// <summary>How many messages a full mailbox refused.</summary>
    public abstract long Dropped { get; }

    internal ActorSystem System { get; }

    /// <summary>The actor finishes its current message and stops, children first; what is still queued becomes dead letters.</summary>
    public void Stop() => SendSystem(new SystemMessage(SystemKind.Stop));

    /// <summary>The actor handles what is queued now, then stops; what is told from now on becomes dead letters.</summary>
    public abstract void StopWhenDrained();

    /// <summary>Completes when everything told before this call has been handled, or the actor has stopped.</summary>
    public abstract Task FenceAsync();

    public override string ToString() => Path;

    internal abstract void SendSystem(in SystemMessage message);
}

/// <summary>The typed address of an actor.</summary>
public abstract class ActorRef<TMessage> : ActorRef
{
    private protected ActorRef(ActorSystem system, string path)
        : base(system, path)
    {
    }

    /// <summary>Never waits. True: queued. False: refused by a full mailbox (counted in <c>Dropped</c>), or a dead letter.</summary>
    public abstract bool Tell(TMessage message);

    /// <summary>
    /// Waits for room where the mailbox was spawned with <see cref="Overflow.Wait"/>; else like <see cref="Tell"/>.
    /// An actor must not await this on itself: it would wait for room that only it can make.
    /// </summary>
    public abstract ValueTask<bool> TellAsync(TMessage message, CancellationToken cancellationToken = default);

    /// <summary>
    /// Tells a message that carries a reply ref and waits for the first reply; later ones are dead letters.
    /// Throws <see cref="TimeoutException"/>, or <see cref="InvalidOperationException"/> when the message was not accepted.
    /// </summary>
    public async Task<TReply> AskAsync<TReply>(
        Func<ActorRef<TReply>, TMessage> makeMessage, TimeSpan timeout, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(makeMessage);
        ReplyRef<TReply> reply = new(System, $"{Path}?ask");
        await using ITimer timer = System.Time.CreateTimer(
            _ => reply.Fail(new TimeoutException($"{Path} did not reply within {timeout}.")), null, timeout, Timeout.InfiniteTimeSpan);
        await using CancellationTokenRegistration registration = cancellationToken.UnsafeRegister(
            (_, token) => reply.Cancel(token), null);
        if (!reply.WhenStopped.IsCompleted && !Tell(makeMessage(reply)))
        {
            reply.Fail(new InvalidOperationException($"{Path} did not accept the message: it has stopped, or its mailbox is full."));
        }

        return await reply.Reply;
    }
}
