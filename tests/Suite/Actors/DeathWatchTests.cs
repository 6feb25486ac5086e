using NftCluster.Actors;
using NftCluster.TestKit;

namespace NftCluster.Tests.Actors;

public sealed class DeathWatchTests
{
    [Fact]
    public async Task The_watcher_gets_its_own_message_once_when_the_target_stops()
    {
        await using ActorTestSystem test = new();
        TestProbe<string> probe = new(test.System);
        ActorRef<int> target = test.Spawn("target", () => new ScriptedActor<int>());
        ActorRef<string> watcher = Watcher(test, probe, self => self.Context.WatchWith(target, "target gone"));
        await watcher.FenceAsync().WithPatience("the watch is set");

        target.Stop();

        await probe.ExpectMessagesAsync("target gone");
        await probe.ExpectNoMessageAsync("after the one", target, watcher);
    }

    [Fact]
    public async Task The_watcher_gets_its_message_also_when_the_target_is_dead_already()
    {
        await using ActorTestSystem test = new();
        TestProbe<string> probe = new(test.System);
        ActorRef<int> target = test.Spawn("target", () => new ScriptedActor<int>());
        target.Stop();
        await probe.ExpectDeathAsync(target);

        ActorRef<string> watcher = Watcher(test, probe, self => self.Context.WatchWith(target, "gone before"));

        await probe.ExpectMessagesAsync("gone before");
        await probe.ExpectNoMessageAsync("after the one", target, watcher);
    }

    [Fact]
    public async Task Watching_while_the_target_dies_gives_exactly_one_message()
    {
        await using ActorTestSystem test = new();
        TestProbe<string> probe = new(test.System);
        for (int round = 0; round < 500; round++)
        {
            ActorRef<int> target = test.Spawn($"target-{round}", () => new ScriptedActor<int>());
            ActorRef<string> watcher = Watcher(test, probe, self =>
            {
                // The second watch replaces the first, whichever of them the dying target answers.
                self.Context.WatchWith(target, "first");
                self.Context.WatchWith(target, "second");
            }, $"watcher-{round}");
            target.Stop();

            await probe.ExpectMessagesAsync("second");
            await probe.ExpectNoMessageAsync("after the one", target, watcher);
            watcher.Stop();
        }
    }

    [Fact]
    public async Task A_death_comes_after_what_the_target_said_before_it()
    {
        await using ActorTestSystem test = new();
        TestProbe<string> probe = new(test.System);
        using Gate gate = new();
        ActorRef<string> parent = test.Spawn("parent", () => new ScriptedActor<string>
        {
            OnPreStart = self => self.Context.WatchWith(
                self.Context.Spawn("child", () => new ScriptedActor<int>
                {
                    OnPreStart = child =>
                    {
                        self.Context.Self.Tell("result 1");
                        self.Context.Self.Tell("result 2");
                        child.Context.StopSelf();
                    },
                    OnPostStop = () => self.Context.Self.Tell("last words"),
                }), "child gone"),
            OnMessageAsync = async (_, text) =>
            {
                await gate.PassAsync();
                probe.Ref.Tell(text);
            },
        });
        await gate.Reached.WithPatience("the parent is held in the first result");
        gate.Open();

        await probe.ExpectMessagesAsync("result 1", "result 2", "last words", "child gone");
        await probe.ExpectNoMessageAsync("after the death", parent);
    }

    [Fact]
    public async Task A_death_is_not_lost_to_a_full_mailbox()
    {
        await using ActorTestSystem test = new();
        TestProbe<string> probe = new(test.System);
        using Gate gate = new();
        ActorRef<int> target = test.Spawn("target", () => new ScriptedActor<int>());
        ActorRef<string> watcher = test.Spawn("watcher", () => new ScriptedActor<string>
        {
            OnPreStart = self => self.Context.WatchWith(target, "gone"),
            OnMessageAsync = async (_, text) =>
            {
                await gate.PassAsync();
                probe.Ref.Tell(text);
            },
        }, Mailbox.DropNewest(1));
        watcher.Tell("held");
        await gate.Reached.WithPatience("the watcher is held");
        watcher.Tell("fills the mailbox");

        target.Stop();
        await probe.ExpectDeathAsync(target);
        gate.Open();

        await probe.ExpectMessagesAsync("held", "fills the mailbox", "gone");
    }

    [Fact]
    public async Task After_Unwatch_not_even_a_queued_death_is_received()
    {
        await using ActorTestSystem test = new();
        TestProbe<string> probe = new(test.System);
        using Gate gate = new();
        ActorRef<int> target = test.Spawn("target", () => new ScriptedActor<int>());
        ActorRef<string> watcher = test.Spawn("watcher", () => new ScriptedActor<string>
        {
            OnPreStart = self => self.Context.WatchWith(target, "gone"),
            OnMessageAsync = async (self, text) =>
            {
                await gate.PassAsync();
                probe.Ref.Tell(text);
                self.Context.Unwatch(target);
            },
        });
        watcher.Tell("held");
        await gate.Reached.WithPatience("the watcher is held");
        watcher.Tell("queued before the death");

        target.Stop();
        await probe.ExpectDeathAsync(target);
        gate.Open();

        await probe.ExpectMessagesAsync("held", "queued before the death");
        await probe.ExpectNoMessageAsync("after unwatch", watcher);
    }

    [Fact]
    public async Task A_watch_outlives_a_restart_of_the_watcher()
    {
        await using ActorTestSystem test = new(new SupervisorStrategy { BackOff = TimeSpan.Zero });
        TestProbe<string> probe = new(test.System);
        ActorRef<int> target = test.Spawn("target", () => new ScriptedActor<int>());
        bool first = true;
        ActorRef<string> watcher = Watcher(test, probe, self =>
        {
            if (first)
            {
                first = false;
                self.Context.WatchWith(target, "gone");
            }
        });
        watcher.Tell("throw");
        await watcher.FenceAsync().WithPatience("the watcher is restarted");

        target.Stop();

        await probe.ExpectMessagesAsync("gone");
    }

    private static ActorRef<string> Watcher(
        ActorTestSystem test, TestProbe<string> probe, Action<ScriptedActor<string>> start, string name = "watcher") =>
        test.Spawn(name, () => new ScriptedActor<string>
        {
            OnPreStart = start,
            OnMessage = (_, text) =>
            {
                if (text == "throw")
                {
                    throw new InvalidOperationException("told to");
                }

                probe.Ref.Tell(text);
            },
        });
}
