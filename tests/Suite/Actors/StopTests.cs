using NftCluster.Actors;
using NftCluster.TestKit;

namespace NftCluster.Tests.Actors;

public sealed class StopTests
{
    [Fact]
    public async Task Stop_finishes_the_current_message_and_makes_dead_letters_of_the_queued_ones()
    {
        await using ActorTestSystem test = new();
        using Gate gate = new();
        TestProbe<int> probe = new(test.System);
        ActorRef<int> actor = await gate.SpawnBlockedAsync(test, probe);
        actor.Tell(2);
        actor.Tell(3);

        actor.Stop();
        gate.Open();
        await probe.ExpectDeathAsync(actor);

        await probe.ExpectMessagesAsync(1);
        await probe.ExpectNoMessageAsync("after the current message");
        Assert.Equal([2, 3], [(await test.ExpectDeadLetterAsync()).Message, (await test.ExpectDeadLetterAsync()).Message]);
    }

    [Fact]
    public async Task A_tell_to_a_stopped_actor_is_refused_and_a_dead_letter()
    {
        await using ActorTestSystem test = new();
        ActorRef<string> actor = test.Spawn("gone", () => new ScriptedActor<string>());
        actor.Stop();
        await actor.WhenStopped.WithPatience("it stops");

        Assert.False(actor.Tell("late"));

        Assert.Equal(new DeadLetter("/gone", "late"), await test.ExpectDeadLetterAsync());
        Assert.Equal(1, test.System.DeadLetters);
    }

    [Fact]
    public async Task StopWhenDrained_handles_what_is_queued_and_refuses_what_comes_later()
    {
        await using ActorTestSystem test = new();
        using Gate gate = new();
        TestProbe<int> probe = new(test.System);
        ActorRef<int> actor = await gate.SpawnBlockedAsync(test, probe);
        actor.Tell(2);
        actor.Tell(3);

        actor.StopWhenDrained();
        bool late = actor.Tell(4);
        gate.Open();
        await probe.ExpectDeathAsync(actor);

        Assert.False(late);
        await probe.ExpectMessagesAsync(1, 2, 3);
        Assert.Equal(1, test.System.DeadLetters);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task While_stopping_every_told_message_is_received_or_refused_by_a_full_mailbox_or_a_dead_letter(bool drained)
    {
        const int Producers = 3;
        const int Each = 4_000;
        for (int round = 0; round < 10; round++)
        {
            await using ActorTestSystem test = new();
            long received = 0;
            ActorRef<int> actor = test.Spawn("sink", () => new ScriptedActor<int> { OnMessage = (_, _) => received++ }, Mailbox.Wait(256));
            var halfway = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            long accepted = 0;

            var producers = Task.WhenAll(Enumerable.Range(0, Producers).Select(producer => Task.Run(async () =>
            {
                for (int number = 0; number < Each; number++)
                {
                    bool taken = number % 2 == 0 ? actor.Tell(number) : await actor.TellAsync(number);
                    Interlocked.Add(ref accepted, taken ? 1 : 0);
                    if (number == Each / 2)
                    {
                        halfway.TrySetResult();
                    }
                }
            })));
            await halfway.Task.WithPatience("the producers are halfway");
            if (drained)
            {
                actor.StopWhenDrained();
            }
            else
            {
                actor.Stop();
            }

            await producers.WithPatience("the producers tell");
            await actor.WhenStopped.WithPatience("the actor stops");

            long told = Producers * Each;
            Assert.Equal(told, received + actor.Dropped + test.System.DeadLetters);
            long refusedWhenStopped = told - accepted - actor.Dropped;
            Assert.Equal(drained ? 0 : accepted - received, test.System.DeadLetters - refusedWhenStopped);
        }
    }

    [Fact]
    public async Task An_actor_can_stop_itself_and_its_child()
    {
        await using ActorTestSystem test = new();
        TestProbe<string> probe = new(test.System);
        ActorRef<string> parent = test.Spawn("parent", () => new ScriptedActor<string>
        {
            OnPreStart = self => self.Context.WatchWith(
                self.Context.Spawn("child", () => new ScriptedActor<int> { OnPreStart = child => child.Context.StopSelf() }), "child gone"),
            OnMessage = (self, text) =>
            {
                probe.Ref.Tell(text);
                ActorRef<int> second = self.Context.Spawn("second", () => new ScriptedActor<int> { OnPostStop = () => probe.Ref.Tell("second gone") });
                self.Context.Stop(second);
                self.Context.StopSelf();
            },
        });

        await probe.ExpectMessagesAsync("child gone", "second gone");
        await probe.ExpectDeathAsync(parent);
    }

    [Fact]
    public async Task A_name_is_free_again_once_its_actor_has_stopped()
    {
        await using ActorTestSystem test = new();
        ActorRef<int> first = test.Spawn("session", () => new ScriptedActor<int>());
        Assert.Throws<InvalidOperationException>(() => test.Spawn("session", () => new ScriptedActor<int>()));

        first.Stop();
        await first.WhenStopped.WithPatience("the first stops");
        ActorRef<int> second = test.Spawn("session", () => new ScriptedActor<int>());

        Assert.Equal("/session", second.Path);
        Assert.NotSame(first, second);
    }

    [Fact]
    public async Task A_post_stop_that_throws_is_reported_and_the_actor_stops_all_the_same()
    {
        await using ActorTestSystem test = new();
        ActorRef<int> actor = test.Spawn("clumsy", () => new ScriptedActor<int> { OnPostStop = () => throw new IOException("disk") });

        actor.Stop();

        await actor.WhenStopped.WithPatience("it stops");
        ActorFailure failure = await test.ExpectFailureAsync();
        Assert.Equal(("/clumsy", "disk", Directive.Stop), (failure.Path, failure.Error.Message, failure.Decision));
    }
}
