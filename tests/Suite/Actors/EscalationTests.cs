using NftCluster.Actors;
using NftCluster.TestKit;

namespace NftCluster.Tests.Actors;

public sealed class EscalationTests
{
    private static readonly SupervisorStrategy _escalate = new() { Decide = _ => Directive.Escalate };

    [Fact]
    public async Task Escalate_makes_the_parent_fail_with_the_same_error()
    {
        await using ActorTestSystem test = new();
        TestProbe<string> probe = new(test.System);
        Family family = new(test, probe, _escalate);
        ActorRef<Exception?> child = await family.SpawnAsync();

        child.Tell(new IOException("disk"));

        await probe.ExpectDeathAsync(family.Parent);
        Assert.True(child.WhenStopped.IsCompletedSuccessfully);
        ActorFailure first = await test.ExpectFailureAsync();
        ActorFailure second = await test.ExpectFailureAsync();
        Assert.Equal(("/parent/child", Directive.Escalate), (first.Path, first.Decision));
        Assert.Equal(("/parent", Directive.Stop), (second.Path, second.Decision));
        Assert.Same(first.Error, second.Error);
    }

    [Fact]
    public async Task A_parent_that_is_resumed_after_an_escalation_resumes_its_child()
    {
        await using ActorTestSystem test = new(new SupervisorStrategy { Decide = _ => Directive.Resume });
        TestProbe<string> probe = new(test.System);
        Family family = new(test, probe, _escalate);
        ActorRef<Exception?> child = await family.SpawnAsync();

        child.Tell(new IOException("disk"));
        child.Tell(null);

        await probe.ExpectMessagesAsync("child here");
        family.Parent.Tell("parent here");
        await probe.ExpectMessagesAsync("parent here");
    }

    [Fact]
    public async Task A_parent_that_is_restarted_after_an_escalation_has_a_new_child()
    {
        await using ActorTestSystem test = new(new SupervisorStrategy { BackOff = TimeSpan.Zero });
        TestProbe<string> probe = new(test.System);
        Family family = new(test, probe, _escalate);
        ActorRef<Exception?> child = await family.SpawnAsync();

        child.Tell(new IOException("disk"));

        await probe.ExpectMessagesAsync("parent restarts");
        await probe.ExpectDeathAsync(child);
        family.Parent.Tell("parent here");
        await probe.ExpectMessagesAsync("parent here");
    }

    [Fact]
    public async Task A_used_up_budget_can_escalate()
    {
        await using ActorTestSystem test = new();
        TestProbe<string> probe = new(test.System);
        Family family = new(test, probe, new SupervisorStrategy { MaxRestarts = 1, BackOff = TimeSpan.Zero, WhenExhausted = Directive.Escalate });
        ActorRef<Exception?> child = await family.SpawnAsync();

        child.Tell(new IOException("one"));
        child.Tell(new IOException("two"));

        await probe.ExpectDeathAsync(family.Parent);
        Assert.Equal(Directive.Restart, (await test.ExpectFailureAsync()).Decision);
        Assert.Equal(Directive.Escalate, (await test.ExpectFailureAsync()).Decision);
    }

    [Fact]
    public async Task An_escalation_beyond_the_top_stops_the_system()
    {
        await using ActorTestSystem test = new(_escalate);
        TestProbe<string> probe = new(test.System);
        Family family = new(test, probe, _escalate);

        (await family.SpawnAsync()).Tell(new IOException("disk"));

        await test.System.WhenStopped.WithPatience("the system stops");
    }

    [Fact]
    public async Task A_strategy_that_throws_escalates_both_errors()
    {
        await using ActorTestSystem test = new();
        TestProbe<string> probe = new(test.System);
        Family family = new(test, probe, new SupervisorStrategy { Decide = _ => throw new FormatException("strategy") });

        (await family.SpawnAsync()).Tell(new IOException("disk"));

        await probe.ExpectDeathAsync(family.Parent);
        AggregateException both = Assert.IsType<AggregateException>((await test.ExpectFailureAsync()).Error);
        Assert.Equal(["disk", "strategy"], both.InnerExceptions.Select(error => error.Message), StringComparer.Ordinal);
    }

    [Theory]
    [InlineData(Directive.Resume)]
    [InlineData(Directive.Restart)]
    public void A_used_up_budget_cannot_resume_or_restart(Directive directive) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new SupervisorStrategy { WhenExhausted = directive });
}
