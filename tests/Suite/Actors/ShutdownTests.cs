using System.Collections.Concurrent;
using NftCluster.Actors;
using NftCluster.TestKit;

namespace NftCluster.Tests.Actors;

public sealed class ShutdownTests
{
    private static readonly TimeSpan _timeout = TimeSpan.FromSeconds(10);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Children_stop_before_their_parents()
    {
        ActorTestSystem test = new();
        ConcurrentQueue<string> stopped = new();
        ActorRef<int> session = test.Spawn("session", () => Node("session", stopped,
            self => self.Context.Spawn("poller", () => Node("poller", stopped,
                poller => poller.Context.Spawn("shard", () => Node("shard", stopped))))));
        await session.FenceAsync().WithPatience("the session has its poller");

        IReadOnlyList<string> left = await test.System.StopAsync(_timeout, Token).WithPatience("the system stops");

        Assert.Empty(left);
        Assert.Equal(["shard", "poller", "session"], stopped, StringComparer.Ordinal);
        Assert.True(test.System.WhenStopped.IsCompletedSuccessfully);
    }

    [Fact]
    public async Task What_does_not_stop_in_time_is_reported_by_its_path()
    {
        await using ActorTestSystem test = new();
        using Gate gate = new();
        ActorRef<int> session = test.Spawn("session", () => new ScriptedActor<int>
        {
            OnPreStart = self =>
            {
                self.Context.Spawn("quick", () => new ScriptedActor<int>());
                self.Context.Spawn("stuck", () => new ScriptedActor<int> { OnMessageAsync = (_, _) => gate.PassAsync() }).Tell(1);
            },
        });
        ActorRef<int> idle = test.Spawn("idle", () => new ScriptedActor<int>());
        await gate.Reached.WithPatience("one is stuck");

        Task<IReadOnlyList<string>> stopping = test.System.StopAsync(_timeout, Token);
        await idle.WhenStopped.WithPatience("the idle one stops");
        await test.Time.PassAsync(_timeout);
        IReadOnlyList<string> left = await stopping.WithPatience("the system gives up");

        Assert.Contains("/session", left, StringComparer.Ordinal);
        Assert.Contains("/session/stuck", left, StringComparer.Ordinal);
        Assert.DoesNotContain("/idle", left, StringComparer.Ordinal);
        gate.Open();
        await session.WhenStopped.WithPatience("the session stops at last");
        Assert.Empty(await test.System.StopAsync(_timeout, Token));
    }

    [Fact]
    public async Task Nothing_is_spawned_once_the_system_stops()
    {
        ActorTestSystem test = new();
        await test.System.StopAsync(_timeout, Token).WithPatience("the system stops");

        Assert.Throws<InvalidOperationException>(() => test.Spawn("late", () => new ScriptedActor<int>()));
    }

    [Fact]
    public async Task What_is_spawned_while_the_system_begins_to_stop_stops_too()
    {
        for (int round = 0; round < 50; round++)
        {
            var test = new ActorTestSystem();
            List<ActorRef> made = [];
            var spawning = Task.Run(() =>
            {
                try
                {
                    for (int i = 0; i < 1_000; i++)
                    {
                        made.Add(test.Spawn($"a{i}", () => new ScriptedActor<int>()));
                    }
                }
                catch (InvalidOperationException)
                {
                    // Expected: the system had begun to stop.
                }
            }, Token);

            Task stopping = test.System.StopAsync(_timeout, Token);
            await Task.WhenAll(spawning, stopping).WithPatience("the system stops");
            await Task.WhenAll(made.Select(actor => actor.WhenStopped)).WithPatience("all actors stop");
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("a/b")]
    public async Task A_name_that_would_break_the_path_is_refused(string name)
    {
        await using ActorTestSystem test = new();

        Assert.ThrowsAny<ArgumentException>(() => test.Spawn(name, () => new ScriptedActor<int>()));
    }

    private static ScriptedActor<int> Node(string name, ConcurrentQueue<string> stopped, Action<ScriptedActor<int>>? start = null) => new()
    {
        OnPreStart = start,
        OnPostStop = () => stopped.Enqueue(name),
    };
}
