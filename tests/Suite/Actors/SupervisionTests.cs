using NftCluster.Actors;
using NftCluster.TestKit;

namespace NftCluster.Tests.Actors;

public sealed class SupervisionTests
{
    private static readonly SupervisorStrategy _restartAtOnce = new() { BackOff = TimeSpan.Zero };

    [Fact]
    public async Task Resume_keeps_the_state_and_the_queued_messages()
    {
        await using ActorTestSystem test = new(new SupervisorStrategy { Decide = _ => Directive.Resume });
        TestProbe<string> probe = new(test.System);
        ActorRef<string> actor = test.Spawn("counter", () => Counter(probe));

        TellAll(actor, "a", "throw", "b", "c");

        await probe.ExpectMessagesAsync("start", "a 1", "b 3", "c 4");
    }

    [Fact]
    public async Task Restart_makes_a_new_instance_and_keeps_the_queued_messages()
    {
        await using ActorTestSystem test = new(_restartAtOnce);
        TestProbe<string> probe = new(test.System);
        ActorRef<string> actor = test.Spawn("counter", () => Counter(probe));

        TellAll(actor, "a", "throw", "b", "c");

        await probe.ExpectMessagesAsync(
            "start", "a 1", "pre-restart because of throw", "stop", "post-restart because of throw", "start", "b 1", "c 2");
    }

    [Fact]
    public async Task Stop_is_the_default_at_the_top_and_siblings_run_on()
    {
        await using ActorTestSystem test = new();
        TestProbe<string> probe = new(test.System);
        ActorRef<string> failing = test.Spawn("failing", () => Counter(probe));
        ActorRef<string> sibling = test.Spawn("sibling", () => new ScriptedActor<string> { OnMessage = (_, text) => probe.Ref.Tell(text) });

        failing.Tell("throw");

        await probe.ExpectDeathAsync(failing);
        ActorFailure failure = await test.ExpectFailureAsync();
        Assert.Equal(("/failing", "throw", Directive.Stop), (failure.Path, failure.Error.Message, failure.Decision));
        sibling.Tell("still here");
        await probe.ExpectMessagesAsync("start", "stop", "still here");
    }

    [Fact]
    public async Task The_parent_decides_by_the_exception()
    {
        await using ActorTestSystem test = new();
        TestProbe<string> probe = new(test.System);
        Family family = new(test, probe, new SupervisorStrategy
        {
            Decide = error => error is IOException ? Directive.Resume : Directive.Stop,
        });
        ActorRef<Exception?> child = await family.SpawnAsync();

        child.Tell(new IOException("resume me"));
        child.Tell(new InvalidOperationException("stop me"));

        await probe.ExpectDeathAsync(child);
        Assert.Equal(Directive.Resume, (await test.ExpectFailureAsync()).Decision);
        Assert.Equal(Directive.Stop, (await test.ExpectFailureAsync()).Decision);
        Assert.False(family.Parent.WhenStopped.IsCompleted);
    }

    [Fact]
    public async Task An_error_after_an_await_is_supervised_like_any_other()
    {
        await using ActorTestSystem test = new();
        ActorRef<string> actor = test.Spawn("late", () => new ScriptedActor<string>
        {
            OnMessageAsync = async (_, _) =>
            {
                await Task.Yield();
                throw new IOException("late");
            },
        });

        actor.Tell("go");

        Assert.Equal("late", (await test.ExpectFailureAsync()).Error.Message);
        await actor.WhenStopped.WithPatience("it stops");
    }

    [Fact]
    public async Task A_restart_stops_the_children_of_the_failed_instance_and_waits_for_them()
    {
        await using ActorTestSystem test = new(_restartAtOnce);
        TestProbe<string> probe = new(test.System);
        using Gate gate = new();
        ActorRef<string> parent = test.Spawn("parent", () => new ScriptedActor<string>
        {
            OnPreStart = self =>
            {
                // The second instance makes a child of the same name, and must not hear of the first one's death.
                probe.Ref.Tell("parent starts");
                ActorRef<int> child = self.Context.Spawn("child", () => new ScriptedActor<int>
                {
                    OnMessageAsync = (_, _) => gate.PassAsync(),
                    OnPostStop = () => probe.Ref.Tell("child stops"),
                });
                self.Context.WatchWith(child, "child gone");
                child.Tell(1);
            },
            OnMessage = (_, text) =>
            {
                probe.Ref.Tell(text);
                if (text == "throw")
                {
                    throw new InvalidOperationException(text);
                }
            },
        });
        await gate.Reached.WithPatience("the child is held");

        parent.Tell("throw");
        await test.ExpectFailureAsync();
        await probe.ExpectMessagesAsync("parent starts", "throw");
        await probe.ExpectNoMessageAsync("while the child is held");
        gate.Open();

        await probe.ExpectMessagesAsync("child stops", "parent starts");
        parent.Tell("afterwards");
        await probe.ExpectMessagesAsync("afterwards");
    }

    [Fact]
    public async Task The_budget_of_restarts_counts_only_those_within_the_window()
    {
        var window = TimeSpan.FromSeconds(60);
        await using ActorTestSystem test = new(_restartAtOnce with { MaxRestarts = 2, Window = window });
        TestProbe<string> probe = new(test.System);
        ActorRef<string> actor = test.Spawn("counter", () => Counter(probe));

        Assert.Equal(Directive.Restart, await FailAsync(test, actor));
        test.Time.Advance(window / 2);
        Assert.Equal(Directive.Restart, await FailAsync(test, actor));
        test.Time.Advance(window / 2);
        Assert.Equal(Directive.Restart, await FailAsync(test, actor));
        Assert.Equal(Directive.Stop, await FailAsync(test, actor));

        await probe.ExpectDeathAsync(actor);
    }

    [Fact]
    public async Task The_wait_before_a_restart_doubles_up_to_its_maximum()
    {
        static TimeSpan Ms(int n) => TimeSpan.FromMilliseconds(n);
        await using ActorTestSystem test = new(new SupervisorStrategy { BackOff = Ms(100), MaxBackOff = Ms(300) });
        TestProbe<string> probe = new(test.System);
        ActorRef<string> actor = test.Spawn("counter", () => Counter(probe));
        await probe.ExpectMessagesAsync("start");

        foreach (TimeSpan wait in new[] { Ms(100), Ms(200), Ms(300), Ms(300) })
        {
            TellAll(actor, "throw", "meanwhile");
            await probe.ExpectMessagesAsync("pre-restart because of throw", "stop");
            await test.Time.WhenArmedAsync(wait);
            Assert.Equal(wait, (await test.ExpectFailureAsync()).BackOff);

            test.Time.Advance(wait - Ms(1));
            await probe.ExpectNoMessageAsync("during the back-off");
            test.Time.Advance(Ms(1));

            await probe.ExpectMessagesAsync("post-restart because of throw", "start", "meanwhile 1");
        }
    }

    [Fact]
    public async Task An_actor_can_be_stopped_during_its_back_off()
    {
        await using ActorTestSystem test = new(new SupervisorStrategy { BackOff = TimeSpan.FromSeconds(1) });
        TestProbe<string> probe = new(test.System);
        ActorRef<string> actor = test.Spawn("counter", () => Counter(probe));
        TellAll(actor, "throw", "lost");
        await test.Time.WhenArmedAsync(TimeSpan.FromSeconds(1));

        actor.Stop();
        await probe.ExpectDeathAsync(actor);
        test.Time.Advance(TimeSpan.FromMinutes(1));

        await probe.ExpectMessagesAsync("start", "pre-restart because of throw", "stop");
        await probe.ExpectNoMessageAsync("a stopped actor does not come back");
        Assert.Equal("lost", (await test.ExpectDeadLetterAsync()).Message);
    }

    [Fact]
    public async Task A_factory_or_start_that_throws_is_restarted_within_the_budget()
    {
        await using ActorTestSystem test = new(_restartAtOnce);
        TestProbe<string> probe = new(test.System);
        int made = 0;
        ActorRef<string> actor = test.Spawn("slow starter", () => ++made switch
        {
            1 => throw new IOException("factory"),
            2 => new ScriptedActor<string> { OnPreStart = _ => throw new IOException("start") },
            _ => new ScriptedActor<string> { OnMessage = (_, text) => probe.Ref.Tell(text) },
        });

        actor.Tell("hello");

        await probe.ExpectMessagesAsync("hello");
        Assert.Equal("factory", (await test.ExpectFailureAsync()).Error.Message);
        Assert.Equal("start", (await test.ExpectFailureAsync()).Error.Message);
    }

    [Fact]
    public async Task An_actor_that_never_started_cannot_be_resumed_and_stops()
    {
        await using ActorTestSystem test = new(new SupervisorStrategy { Decide = _ => Directive.Resume });

        ActorRef<string> actor = test.Spawn("never", () => new ScriptedActor<string> { OnPreStart = _ => throw new IOException("start") });

        await actor.WhenStopped.WithPatience("it stops");
    }

    [Fact]
    public async Task A_factory_that_returns_the_same_instance_again_is_an_error()
    {
        await using ActorTestSystem test = new(_restartAtOnce with { MaxRestarts = 1 });
        ScriptedActor<string> only = new() { OnMessage = (_, _) => throw new IOException("first") };
        ActorRef<string> actor = test.Spawn("only", () => only);

        actor.Tell("go");

        Assert.Equal("first", (await test.ExpectFailureAsync()).Error.Message);
        Assert.Contains("new actor each time", (await test.ExpectFailureAsync()).Error.Message, StringComparison.Ordinal);
        await actor.WhenStopped.WithPatience("it stops");
    }

    [Theory]
    [InlineData(200)]
    public async Task In_a_storm_of_restarts_every_message_is_handled_once(int rounds)
    {
        await using ActorTestSystem test = new(_restartAtOnce with { MaxRestarts = int.MaxValue });
        int next = 0;
        int made = 0;
        List<string> wrong = [];
        ActorRef<int> actor = test.Spawn("stormy", () =>
        {
            made++;
            return new ScriptedActor<int>
            {
                OnPreStart = self => self.Context.Spawn("child", () => new ScriptedActor<int>()),
                OnMessage = (_, number) =>
                {
                    if (number != next++)
                    {
                        wrong.Add($"{number} came as {next - 1}");
                    }

                    if (number % 10 == 0)
                    {
                        throw new InvalidOperationException("storm");
                    }
                },
            };
        });

        for (int number = 0; number < rounds * 10; number++)
        {
            Assert.True(await actor.TellAsync(number, TestContext.Current.CancellationToken));
        }

        await actor.FenceAsync().WithPatience("the storm is over");
        Assert.Empty(wrong);
        Assert.Equal((rounds * 10, rounds + 1), (next, made));
        Assert.Equal(0, test.System.DeadLetters);
    }

    private static async Task<Directive> FailAsync(ActorTestSystem test, ActorRef<string> actor)
    {
        actor.Tell("throw");
        Directive decision = (await test.ExpectFailureAsync()).Decision;
        await actor.FenceAsync().WithPatience("the decision is carried out");
        return decision;
    }

    private static void TellAll(ActorRef<string> actor, params string[] messages)
    {
        foreach (string message in messages)
        {
            Assert.True(actor.Tell(message));
        }
    }

    /// <summary>Tells the probe each message with its number in this instance, and each step of its life.</summary>
    private static ScriptedActor<string> Counter(TestProbe<string> probe)
    {
        int count = 0;
        return new ScriptedActor<string>
        {
            OnPreStart = _ => probe.Ref.Tell("start"),
            OnPostStop = () => probe.Ref.Tell("stop"),
            OnPreRestart = error => probe.Ref.Tell($"pre-restart because of {error.Message}"),
            OnPostRestart = error => probe.Ref.Tell($"post-restart because of {error.Message}"),
            OnMessage = (_, text) =>
            {
                count++;
                if (text == "throw")
                {
                    throw new InvalidOperationException(text);
                }

                probe.Ref.Tell($"{text} {count}");
            },
        };
    }
}
