using NftCluster.Actors;
using NftCluster.TestKit;

namespace NftCluster.Tests.TestKit;

public sealed class TestProbeTests
{
    private static readonly TimeSpan _moment = TimeSpan.FromMilliseconds(20);

    [Fact]
    public async Task A_missing_message_names_the_phase_and_what_came_before()
    {
        await using ActorTestSystem test = new();
        TestProbe<string> probe = new(test.System);
        probe.Ref.Tell("one");
        await probe.ExpectMessageAsync();

        TestProbeException error = await Assert.ThrowsAsync<TestProbeException>(() => probe.ExpectMessageAsync("second phase", _moment));

        Assert.Contains("second phase: /probe got no message", error.Message, StringComparison.Ordinal);
        Assert.Contains("[one]", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Another_message_than_expected_names_what_was_received()
    {
        await using ActorTestSystem test = new();
        TestProbe<string> probe = new(test.System);
        probe.Ref.Tell("two");

        TestProbeException error = await Assert.ThrowsAsync<TestProbeException>(() => probe.ExpectMessageAsync(text => text == "one", "first phase"));

        Assert.Contains("first phase: /probe got another message than expected; it got [two]", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Expecting_no_message_sees_one_that_is_still_under_way()
    {
        await using ActorTestSystem test = new();
        TestProbe<string> probe = new(test.System);
        ActorRef<string> relay = test.Spawn("relay", () => new ScriptedActor<string>
        {
            OnMessageAsync = async (_, text) =>
            {
                await Task.Yield();
                probe.Ref.Tell(text);
            },
        });
        relay.Tell("under way");

        TestProbeException error = await Assert.ThrowsAsync<TestProbeException>(() => probe.ExpectNoMessageAsync("quiet phase", relay));

        Assert.Contains("quiet phase: /probe got a message; it got [under way]", error.Message, StringComparison.Ordinal);
    }
}
