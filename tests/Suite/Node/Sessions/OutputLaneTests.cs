using NftCluster.Actors;
using NftCluster.Node.Nftables;
using NftCluster.Node.Pipeline;
using NftCluster.Node.Sessions;
using NftCluster.TestKit;

namespace NftCluster.Tests.Node.Sessions;

/// <summary>What finds room on the way to the outputs while their writer stands still.</summary>
public sealed class OutputLaneTests : IAsyncDisposable
{
    private readonly ActorTestSystem _test = new();
    private readonly TaskCompletionSource _go = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly OutputLane _lane = new();
    private readonly List<RulesetFact> _heard = [];
    private readonly ActorRef<OutputMessage> _writer;

    public OutputLaneTests()
    {
        _writer = _test.Spawn("writer", () => new ScriptedActor<OutputMessage> { OnMessageAsync = (_, message) => WriteAsync(message) }, Mailbox.DropNewest(OutputLane.Mailbox));
        _lane.LeadTo(_writer);
        _writer.Tell(new StopWaiting()); // it stands at this one
    }

    public ValueTask DisposeAsync()
    {
        _go.TrySetResult();
        return _test.DisposeAsync();
    }

    [Fact]
    public async Task Confirmations_of_one_generation_are_one_message_that_says_the_newest()
    {
        for (int i = 0; i < OutputLane.MostFacts * 2; i++)
        {
            Assert.True(_lane.Tell(new GenerationConfirmed(7, i, i + 1)));
        }

        Assert.Equal([new GenerationConfirmed(7, OutputLane.MostFacts * 2 - 1, OutputLane.MostFacts * 2)], await FactsAsync());
    }

    [Fact]
    public async Task No_confirmation_goes_before_a_change_that_was_heard_before_it()
    {
        RulesetFact[] facts = [new GenerationConfirmed(7, 1, 2), new GenerationSeen(8, 3, 1, "nft"), new GenerationConfirmed(8, 4, 5)];
        foreach (RulesetFact fact in facts)
        {
            _lane.Tell(fact);
        }
        _lane.Tell(new GenerationConfirmed(8, 6, 7));

        Assert.Equal([facts[0], facts[1], new GenerationConfirmed(8, 6, 7)], await FactsAsync());
    }

    [Fact]
    public async Task A_confirmation_that_was_taken_is_followed_by_another()
    {
        _lane.Tell(new GenerationConfirmed(7, 1, 2));
        Assert.Single(await FactsAsync());

        _lane.Tell(new GenerationConfirmed(7, 3, 4));

        Assert.Equal([new GenerationConfirmed(7, 1, 2), new GenerationConfirmed(7, 3, 4)], await FactsAsync());
    }

    [Fact]
    public void Facts_beyond_their_bound_are_refused_and_take_no_trace_s_room()
    {
        for (uint i = 0; i < OutputLane.MostFacts; i++)
        {
            Assert.True(_lane.Tell(new GenerationSeen(i, i, 1, "nft")));
        }

        Assert.False(_lane.Tell(new GenerationSeen(0, 0, 1, "nft")));
        for (int i = 0; i < OutputLane.MostTraces; i++)
        {
            Assert.True(_lane.Offer([new PacketTrace()]));
        }
    }

    [Fact]
    public void Traces_beyond_their_bound_are_refused_until_some_are_written()
    {
        Assert.True(_lane.Offer(new PacketTrace[OutputLane.MostTraces - 1]));
        Assert.False(_lane.Offer(new PacketTrace[2]));
        Assert.True(_lane.Offer(new PacketTrace[1]));
        Assert.True(_lane.Tell(new GenerationSeen(1, 1, 1, "nft")));

        _lane.Written(2);

        Assert.True(_lane.Offer(new PacketTrace[2]));
        Assert.False(_lane.Offer(new PacketTrace[1]));
    }

    private async ValueTask WriteAsync(OutputMessage message)
    {
        await _go.Task;
        if (message is RulesetChanged told)
        {
            _heard.Add(_lane.Take(told));
        }
    }

    /// <summary>All that was told, as the writer hears it once it may go on.</summary>
    private async Task<IReadOnlyList<RulesetFact>> FactsAsync()
    {
        _go.TrySetResult();
        await _writer.FenceAsync().WithPatience("the writer goes on");
        return _heard;
    }
}
