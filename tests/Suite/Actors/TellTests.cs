using NftCluster.Actors;
using NftCluster.TestKit;

namespace NftCluster.Tests.Actors;

public sealed class TellTests
{
    private static readonly int[] _threeTaken = [1, 2, 3];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Ten_thousand_messages_of_four_producers_arrive_once_each_and_in_the_order_of_each_producer()
    {
        const int Producers = 4;
        const int Each = 2_500;
        await using ActorTestSystem test = new();
        int[] next = new int[Producers];
        int inside = 0;
        List<string> wrong = [];
        ActorRef<(int Producer, int Number)> actor = test.Spawn("sink", () => new ScriptedActor<(int Producer, int Number)>
        {
            OnMessageAsync = async (_, message) =>
            {
                if (Interlocked.Increment(ref inside) != 1)
                {
                    wrong.Add("two messages at once");
                }

                if (next[message.Producer]++ != message.Number)
                {
                    wrong.Add($"{message} came as {next[message.Producer] - 1}");
                }

                if (message.Number % 100 == 0)
                {
                    await Task.Yield();
                }

                Interlocked.Decrement(ref inside);
            },
        }, Mailbox.Wait(64));

        await Task.WhenAll(Enumerable.Range(0, Producers).Select(producer => Task.Run(async () =>
        {
            for (int number = 0; number < Each; number++)
            {
                Assert.True(await actor.TellAsync((producer, number)));
            }
        }))).WithPatience("the producers tell");
        await actor.FenceAsync().WithPatience("the sink handles");

        Assert.Empty(wrong);
        Assert.All(next, count => Assert.Equal(Each, count));
        Assert.Equal(0, actor.Dropped);
    }

    [Fact]
    public async Task A_full_mailbox_that_drops_the_newest_refuses_and_counts_it()
    {
        await using ActorTestSystem test = new();
        using Gate gate = new();
        TestProbe<int> probe = new(test.System);
        ActorRef<int> actor = await gate.SpawnBlockedAsync(test, probe, Mailbox.DropNewest(2));

        bool[] accepted = [actor.Tell(2), actor.Tell(3), actor.Tell(4), await actor.TellAsync(5, Token)];
        gate.Open();

        Assert.Equal([true, true, false, false], accepted);
        Assert.Equal(2, actor.Dropped);
        await probe.ExpectMessagesAsync(_threeTaken);
        await probe.ExpectNoMessageAsync("after the accepted ones", actor);
        Assert.Equal(0, test.System.DeadLetters);
    }

    [Fact]
    public async Task A_full_mailbox_that_waits_lets_TellAsync_wait_for_room()
    {
        await using ActorTestSystem test = new();
        using Gate gate = new();
        TestProbe<int> probe = new(test.System);
        ActorRef<int> actor = await gate.SpawnBlockedAsync(test, probe, Mailbox.Wait(1));
        Assert.True(actor.Tell(2));

        ValueTask<bool> waiting = actor.TellAsync(3, Token);
        Assert.False(waiting.IsCompleted);
        Assert.False(actor.Tell(4));
        gate.Open();

        Assert.True(await waiting);
        await probe.ExpectMessagesAsync(_threeTaken);
    }

    [Fact]
    public async Task Who_waits_for_room_can_give_up_and_the_message_is_not_sent()
    {
        await using ActorTestSystem test = new();
        using Gate gate = new();
        using CancellationTokenSource patience = new();
        TestProbe<int> probe = new(test.System);
        ActorRef<int> actor = await gate.SpawnBlockedAsync(test, probe, Mailbox.Wait(1));
        actor.Tell(2);

        ValueTask<bool> waiting = actor.TellAsync(3, patience.Token);
        await patience.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await waiting);
        gate.Open();

        await probe.ExpectMessagesAsync(1, 2);
        await probe.ExpectNoMessageAsync("after giving up", actor);
    }

    [Fact]
    public async Task Who_waits_for_room_when_the_actor_stops_gets_false_and_a_dead_letter()
    {
        await using ActorTestSystem test = new();
        using Gate gate = new();
        TestProbe<int> probe = new(test.System);
        ActorRef<int> actor = await gate.SpawnBlockedAsync(test, probe, Mailbox.Wait(1));
        actor.Tell(2);

        ValueTask<bool> waiting = actor.TellAsync(3, Token);
        actor.Stop();
        gate.Open();

        Assert.False(await waiting);
        await probe.ExpectDeathAsync(actor);
        Assert.Equal(2, test.System.DeadLetters);
    }

    [Fact]
    public async Task A_flooded_actor_leaves_its_thread_to_others_in_between()
    {
        await using ActorTestSystem test = new();
        TestProbe<string> probe = new(test.System);
        ActorRef<int> endless = test.Spawn("endless", () => new ScriptedActor<int> { OnMessage = (self, n) => self.Context.Self.Tell(n) });
        endless.Tell(1);

        ActorRef<string>[] others = [.. Enumerable.Range(0, 50).Select(i => test.Spawn($"other-{i}", () => new ScriptedActor<string>
        {
            OnMessage = (_, text) => probe.Ref.Tell(text),
        }))];
        foreach (ActorRef<string> other in others)
        {
            other.Tell("here");
        }

        for (int i = 0; i < others.Length; i++)
        {
            await probe.ExpectMessageAsync("others have their turn");
        }
    }

    [Fact]
    public async Task A_message_told_while_its_actor_goes_idle_is_not_left_behind()
    {
        // Each answer comes while the turn that asked for it is ending.
        const int Rallies = 20_000;
        await using ActorTestSystem test = new();
        TestProbe<int> probe = new(test.System);
        for (int pair = 0; pair < 4; pair++)
        {
            ActorRef<int>? far = null;
            ActorRef<int> near = test.Spawn($"near-{pair}", () => new ScriptedActor<int>
            {
                OnMessage = (_, n) => (n == Rallies ? probe.Ref : far!).Tell(n),
            });
            far = test.Spawn($"far-{pair}", () => new ScriptedActor<int> { OnMessage = (_, n) => near.Tell(n + 1) });
            near.Tell(0);
        }

        await probe.ExpectMessagesAsync(Rallies, Rallies, Rallies, Rallies);
    }

    [Fact]
    public async Task A_tell_allocates_nothing()
    {
        const int Messages = 500;
        await using ActorTestSystem test = new();
        using Gate gate = new();
        ActorRef<int> actor = test.Spawn("sink", () => new ScriptedActor<int> { OnMessageAsync = (_, n) => n == 0 ? gate.PassAsync() : default });
        TellAll(actor, Messages);
        await actor.FenceAsync().WithPatience("the queue has grown");
        actor.Tell(0);
        await gate.Reached.WithPatience("the actor is busy");

        long before = GC.GetAllocatedBytesForCurrentThread();
        TellAll(actor, Messages);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        gate.Open();

        Assert.Equal(0, allocated);
    }

    private static void TellAll(ActorRef<int> actor, int count)
    {
        for (int i = 1; i <= count; i++)
        {
            actor.Tell(i);
        }
    }
}
