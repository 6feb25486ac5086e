using NftCluster.Actors;
using NftCluster.TestKit;

namespace NftCluster.Tests.Actors;

/// <summary>Holds an actor in the middle of a message until the test opens it.</summary>
internal sealed class Gate : IDisposable
{
    private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _open = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task Reached => _reached.Task;

    public void Open() => _open.TrySetResult();

    /// <summary>A test that fails early must not leave the actor stuck.</summary>
    public void Dispose() => Open();

    public async ValueTask PassAsync()
    {
        _reached.TrySetResult();
        await _open.Task;
    }

    /// <summary>An actor that hands its messages to the probe, and is held in its first one, a 1.</summary>
    public async Task<ActorRef<int>> SpawnBlockedAsync(ActorTestSystem test, TestProbe<int> probe, Mailbox? mailbox = null)
    {
        ActorRef<int> actor = test.Spawn("held", () => new ScriptedActor<int>
        {
            OnMessageAsync = async (_, number) =>
            {
                await PassAsync();
                probe.Ref.Tell(number);
            },
        }, mailbox);
        actor.Tell(1);
        await Reached.WithPatience("the actor is held in its first message");
        return actor;
    }
}
