using NftCluster.Actors;
using NftCluster.TestKit;

namespace NftCluster.Tests.Actors;

public sealed class TimerTests
{
    private const string Key = "timer";
    private static readonly TimeSpan _second = TimeSpan.FromSeconds(1);

    [Fact]
    public async Task A_single_timer_fires_once_when_its_delay_has_passed()
    {
        await using ActorTestSystem test = new();
        TestProbe<string> probe = new(test.System);
        ActorRef<string> actor = Forwarder(test, probe, self => self.Timers.StartSingle(Key, "tick", _second));
        await test.Time.WhenArmedAsync(_second);

        test.Time.Advance(_second - TimeSpan.FromMilliseconds(1));
        await probe.ExpectNoMessageAsync("before the delay has passed", actor);
        test.Time.Advance(TimeSpan.FromMilliseconds(1));
        await probe.ExpectMessagesAsync("tick");
        test.Time.Advance(_second * 10);
        await probe.ExpectNoMessageAsync("after it has fired", actor);
    }

    [Fact]
    public async Task A_periodic_timer_fires_each_period_until_it_is_cancelled()
    {
        await using ActorTestSystem test = new();
        TestProbe<string> probe = new(test.System);
        ActorRef<string> actor = Forwarder(test, probe, self => self.Timers.StartPeriodic(Key, "tick", _second));
        await test.Time.WhenArmedAsync(_second);

        for (int i = 0; i < 3; i++)
        {
            test.Time.Advance(_second);
            await probe.ExpectMessagesAsync("tick");
        }

        actor.Tell("cancel");
        await probe.ExpectMessagesAsync("cancel");
        test.Time.Advance(_second * 3);
        await probe.ExpectNoMessageAsync("after the cancelling", actor);
    }

    [Fact]
    public async Task Ticks_that_come_while_one_is_queued_are_skipped()
    {
        await using ActorTestSystem test = new();
        TestProbe<string> probe = new(test.System);
        using Gate gate = new();
        ActorRef<string> actor = Forwarder(test, probe, self => self.Timers.StartPeriodic(Key, "tick", _second), gate);
        await HoldAsync(actor, gate);

        test.Time.Advance(_second * 5);
        gate.Open();

        await probe.ExpectMessagesAsync("hold", "tick");
        await probe.ExpectNoMessageAsync("the other four", actor);
    }

    [Fact]
    public async Task The_queued_message_of_a_cancelled_timer_is_not_received()
    {
        await using ActorTestSystem test = new();
        TestProbe<string> probe = new(test.System);
        using Gate gate = new();
        ActorRef<string> actor = Forwarder(test, probe, self => self.Timers.StartSingle(Key, "tick", _second), gate);
        await HoldAsync(actor, gate);
        actor.Tell("cancel");

        test.Time.Advance(_second);
        gate.Open();

        await probe.ExpectMessagesAsync("hold", "cancel");
        await probe.ExpectNoMessageAsync("the cancelled tick", actor);
    }

    [Fact]
    public async Task The_queued_message_of_a_replaced_timer_is_not_received_but_the_new_one_is()
    {
        await using ActorTestSystem test = new();
        TestProbe<string> probe = new(test.System);
        using Gate gate = new();
        ActorRef<string> actor = Forwarder(test, probe, self => self.Timers.StartSingle(Key, "old tick", _second), gate);
        await HoldAsync(actor, gate);
        actor.Tell("replace");

        test.Time.Advance(_second);
        gate.Open();
        await probe.ExpectMessagesAsync("hold", "replace");
        await probe.ExpectNoMessageAsync("the replaced tick", actor);
        test.Time.Advance(_second);

        await probe.ExpectMessagesAsync("new tick");
    }

    [Fact]
    public async Task A_restart_cancels_all_timers_and_discards_what_they_queued()
    {
        await using ActorTestSystem test = new(new SupervisorStrategy { BackOff = TimeSpan.Zero });
        TestProbe<string> probe = new(test.System);
        using Gate gate = new();
        bool first = true;
        ActorRef<string> actor = Forwarder(test, probe, self =>
        {
            if (first)
            {
                self.Timers.StartSingle("queued", "queued tick", _second);
                self.Timers.StartPeriodic("later", "later tick", _second * 2);
            }

            first = false;
        }, gate);
        await HoldAsync(actor, gate);
        actor.Tell("throw");

        test.Time.Advance(_second);
        gate.Open();
        await test.ExpectFailureAsync();
        await probe.ExpectMessagesAsync("hold");
        await actor.FenceAsync().WithPatience("the actor is restarted");
        test.Time.Advance(_second * 10);

        await probe.ExpectNoMessageAsync("ticks of the old instance", actor);
    }

    [Fact]
    public async Task A_stop_cancels_all_timers()
    {
        await using ActorTestSystem test = new();
        TestProbe<string> probe = new(test.System);
        ActorRef<string> actor = Forwarder(test, probe, self => self.Timers.StartPeriodic(Key, "tick", _second));
        await test.Time.WhenArmedAsync(_second);

        actor.Stop();
        await probe.ExpectDeathAsync(actor);
        test.Time.Advance(_second * 10);

        await probe.ExpectNoMessageAsync("after the stop");
        Assert.Equal(0, test.System.DeadLetters);
    }

    [Fact]
    public async Task A_tick_is_not_lost_to_a_full_mailbox_and_comes_after_what_was_queued()
    {
        await using ActorTestSystem test = new();
        TestProbe<string> probe = new(test.System);
        using Gate gate = new();
        ActorRef<string> actor = Forwarder(
            test, probe, self => self.Timers.StartSingle(Key, "tick", _second), gate, Mailbox.DropNewest(2));
        await HoldAsync(actor, gate);
        actor.Tell("1");
        actor.Tell("2");

        test.Time.Advance(_second);
        gate.Open();

        await probe.ExpectMessagesAsync("hold", "1", "2", "tick");
    }

    [Fact]
    public async Task A_timer_counts_as_active_until_its_message_is_received()
    {
        await using ActorTestSystem test = new();
        TestProbe<bool> probe = new(test.System);
        ActorRef<string> actor = test.Spawn("actor", () => new ScriptedActor<string>
        {
            OnPreStart = self => self.Timers.StartSingle(Key, "tick", _second),
            OnMessage = (self, _) => probe.Ref.Tell(self.Timers.IsActive(Key)),
        });

        actor.Tell("before");
        await probe.ExpectMessagesAsync(true);
        test.Time.Advance(_second);
        await probe.ExpectMessagesAsync(false);
    }

    private static async Task HoldAsync(ActorRef<string> actor, Gate gate)
    {
        actor.Tell("hold");
        await gate.Reached.WithPatience("the actor is held");
    }

    /// <summary>Tells the probe what it receives; "hold" waits at the gate, and a few other words do what they say.</summary>
    private static ActorRef<string> Forwarder(
        ActorTestSystem test, TestProbe<string> probe, Action<ScriptedActor<string>> start, Gate? gate = null, Mailbox? mailbox = null) =>
        test.Spawn("actor", () => new ScriptedActor<string>
        {
            OnPreStart = start,
            OnMessageAsync = async (self, text) =>
            {
                switch (text)
                {
                    case "hold":
                        await gate!.PassAsync();
                        break;
                    case "cancel":
                        Assert.True(self.Timers.Cancel(Key));
                        break;
                    case "replace":
                        self.Timers.StartSingle(Key, "new tick", _second);
                        break;
                    case "throw":
                        throw new InvalidOperationException("told to");
                }

                probe.Ref.Tell(text);
            },
        }, mailbox);
}
