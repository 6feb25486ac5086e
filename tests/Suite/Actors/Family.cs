using NftCluster.Actors;
using NftCluster.TestKit;

namespace NftCluster.Tests.Actors;

/// <summary>A parent with a given strategy, and one child that throws what it is told; null only makes it tell the probe "here".</summary>
internal sealed class Family
{
    private readonly TaskCompletionSource<ActorRef<Exception?>> _child = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Family(ActorTestSystem test, TestProbe<string> probe, SupervisorStrategy strategy)
    {
        Parent = test.Spawn("parent", () => new ScriptedActor<string>
        {
            Strategy = strategy,
            OnPreStart = self => _child.TrySetResult(self.Context.Spawn("child", () => new ScriptedActor<Exception?>
            {
                OnMessage = (_, error) =>
                {
                    if (error is not null)
                    {
                        throw error;
                    }

                    probe.Ref.Tell("child here");
                },
            })),
            OnPreRestart = _ => probe.Ref.Tell("parent restarts"),
            OnMessage = (_, text) => probe.Ref.Tell(text),
        });
    }

    public ActorRef<string> Parent { get; }

    public Task<ActorRef<Exception?>> SpawnAsync() => _child.Task.WaitAsync(Patience.Default);
}
