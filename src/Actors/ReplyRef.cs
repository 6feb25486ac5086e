namespace NftCluster.Actors;

/// <summary>The address that an Ask hands out: it takes one message and is gone after it, or after the asker gave up.</summary>
internal sealed class ReplyRef<TReply>(ActorSystem system, string path) : ActorRef<TReply>(system, path)
{
    private readonly TaskCompletionSource<TReply> _reply = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public override Task WhenStopped => Ended(_reply.Task);

    public override long Dropped => 0;

    internal Task<TReply> Reply => _reply.Task;

    public override bool Tell(TReply message)
    {
        if (_reply.TrySetResult(message))
        {
            return true;
        }

        System.CountDeadLetter(Path, message);
        return false;
    }

    public override ValueTask<bool> TellAsync(TReply message, CancellationToken cancellationToken = default) => new(Tell(message));

    public override void StopWhenDrained() => Stop();

    public override Task FenceAsync() => Task.CompletedTask;

    internal void Fail(Exception error) => _reply.TrySetException(error);

    internal void Cancel(CancellationToken token) => _reply.TrySetCanceled(token);

    internal override void SendSystem(in SystemMessage message)
    {
        if (message.Kind == SystemKind.Stop)
        {
            Fail(new InvalidOperationException($"{Path} was stopped before a reply came."));
        }
        else if (message is { Kind: SystemKind.Watch, Subject: { } watcher })
        {
            _reply.Task.GetAwaiter().UnsafeOnCompleted(() => watcher.SendSystem(new SystemMessage(SystemKind.TargetStopped, this)));
        }
    }

    /// <summary>Ends without an error however the reply ended.</summary>
    private static async Task Ended(Task reply) =>
        await reply.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
}
