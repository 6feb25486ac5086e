using NftCluster.Node.Sessions;

namespace NftCluster.Tests.Node.Sessions;

public sealed class SessionStateMachineTests
{
    private static readonly SessionState[] _way =
        [SessionState.Created, SessionState.Starting, SessionState.Running, SessionState.Stopping, SessionState.Exporting, SessionState.Stopped];

    public static TheoryData<int, int> Pairs => [.. from a in Enum.GetValues<SessionState>() from b in Enum.GetValues<SessionState>() select ((int)a, (int)b)];

    [Theory]
    [MemberData(nameof(Pairs))]
    public void Only_the_next_state_of_the_design_can_follow(int from, int to)
    {
        SessionStateMachine machine = At((SessionState)from);
        bool allowed = from + 1 == to && to <= (int)SessionState.Stopped;

        if (allowed)
        {
            machine.Advance((SessionState)to);
            Assert.Equal((SessionState)to, machine.State);
        }
        else
        {
            InvalidOperationException refused = Assert.Throws<InvalidOperationException>(() => machine.Advance((SessionState)to));
            Assert.Equal($"a session cannot go from {((SessionState)from).ToString().ToUpperInvariant()} to {((SessionState)to).ToString().ToUpperInvariant()}", refused.Message);
            Assert.Equal((SessionState)from, machine.State);
        }
    }

    [Fact]
    public void A_session_can_fail_until_it_is_over()
    {
        foreach (SessionState state in _way)
        {
            SessionStateMachine machine = At(state);
            bool over = state == SessionState.Stopped;

            Assert.Equal((over, !over), (machine.IsOver, machine.Fail("why")));
            Assert.Equal(over ? null : "why", machine.FailureReason);
            Assert.True(machine.IsOver);
        }
    }

    [Fact]
    public void The_first_reason_of_a_failure_stays()
    {
        SessionStateMachine machine = At(SessionState.Running);

        Assert.True(machine.Fail("first"));
        Assert.False(machine.Fail("second"));

        Assert.Equal((SessionState.Failed, "first"), (machine.State, machine.FailureReason));
    }

    private static SessionStateMachine At(SessionState state)
    {
        SessionStateMachine machine = new();
        if (state == SessionState.Failed)
        {
            machine.Fail("it was to");
            return machine;
        }
        foreach (SessionState next in _way.Skip(1).TakeWhile(s => s <= state))
        {
            machine.Advance(next);
        }
        return machine;
    }
}
