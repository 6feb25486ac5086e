using System.Threading.Channels;
using NftCluster.Actors;

namespace NftCluster.TestKit;

/// <summary>An actor system under a manual clock, whose failures and dead letters a test can expect.</summary>
public sealed class ActorTestSystem : IAsyncDisposable
{
    private readonly Channel<ActorFailure> _failures = Channel.CreateUnbounded<ActorFailure>();
    private readonly Channel<DeadLetter> _deadLetters = Channel.CreateUnbounded<DeadLetter>();

    public ActorTestSystem(SupervisorStrategy? top = null) => System = new ActorSystem("test", Time, new ActorSystemOptions
    {
        OnFailure = failure => _failures.Writer.TryWrite(failure),
        OnDeadLetter = letter => _deadLetters.Writer.TryWrite(letter),
        Supervision = top ?? SupervisorStrategy.StopAlways,
    });

    public ManualTime Time { get; } = new();

    public ActorSystem System { get; }

    public Task<ActorFailure> ExpectFailureAsync() => ExpectAsync(_failures.Reader, "a failure");

    public Task<DeadLetter> ExpectDeadLetterAsync() => ExpectAsync(_deadLetters.Reader, "a dead letter");

    public ActorRef<TMessage> Spawn<TMessage>(string name, Func<Actor<TMessage>> factory, Mailbox? mailbox = null) =>
        System.Spawn(name, factory, mailbox);

    /// <summary>A test that leaves an actor stuck fails here.</summary>
    public async ValueTask DisposeAsync()
    {
        _ = await System.StopAsync(Timeout.InfiniteTimeSpan).WaitAsync(Patience.Default);
    }

    private static async Task<TReport> ExpectAsync<TReport>(ChannelReader<TReport> reports, string what)
    {
        using CancellationTokenSource guard = new(Patience.Default);
        try
        {
            return await reports.ReadAsync(guard.Token);
        }
        catch (OperationCanceledException error)
        {
            throw new TestProbeException($"The system did not report {what} within {Patience.Default}.", error);
        }
    }
}
