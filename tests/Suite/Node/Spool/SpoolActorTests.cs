using NftCluster.Actors;
using NftCluster.Messages.Link;
using NftCluster.Node.Spool;
using NftCluster.TestKit;
using NftCluster.Tests.Node.Export;

namespace NftCluster.Tests.Node.Spool;

public sealed class SpoolActorTests
{
    [Fact]
    public async Task Traces_and_losses_of_a_session_go_out_in_the_order_in_which_they_came()
    {
        using TempDirectory directory = new();
        await using ActorTestSystem test = new();
        ActorRef<SpoolMessage> spool = test.System.Spawn<SpoolMessage>("spool", () => new SpoolActor(new SpoolStore(new SpoolOptions { Directory = directory.Path }, test.Time), _ => { }));
        SpoolLane lane = await spool.AskAsync<SpoolLane>(reply => new GetSpoolLane(reply), Patience.Default, TestContext.Current.CancellationToken);
        SpoolOutput output = new("s1", lane);

        output.Write(Samples.Forwarded("first"));
        output.Flush();
        spool.Tell(new SpoolLosses("s1", [new Loss { Stage = "ring-full", Kind = "events", Count = 5 }]));
        output.Write(Samples.Forwarded("second"));
        output.Flush();
        spool.Tell(new FlushSpool());

        FramesTaken taken = await spool.AskAsync<FramesTaken>(reply => new TakeFrames(0, long.MaxValue, reply), Patience.Default, TestContext.Current.CancellationToken);
        Payload[] payloads = [.. taken.Frames.Select(SpoolRig.Read)];
        Assert.Equal(["first", "losses", "second"], payloads.Select(p => p.Losses is null ? p.Traces.Trace.Single().Key : "losses"), StringComparer.Ordinal);
        Assert.Equal(0, output.Refused);
    }

    [Fact]
    public async Task A_spool_that_stands_still_costs_a_bounded_number_of_traces_and_the_rest_is_counted_with_its_times()
    {
        using TempDirectory directory = new();
        await using ActorTestSystem test = new();
        TestProbe<SpoolMessage> slow = new(test.System, "slow");
        SpoolLane lane = new(slow.Ref);
        SpoolOutput output = new("s1", lane);

        for (int i = 0; i < 10_000; i++)
        {
            output.Write(Samples.Forwarded());
            if (i % 100 == 99)
            {
                output.Flush();
            }
        }
        output.Complete(Samples.Session(), Samples.Statistics());

        Assert.Equal(10_000 - 8_100, output.Refused);
        for (int batches = 0; batches < 81; batches++)
        {
            Assert.IsType<SpoolTraces>(await slow.ExpectMessageAsync());
        }
        Loss loss = Assert.IsType<SpoolLosses>(await slow.ExpectMessageAsync()).Losses.Single();
        Assert.Equal(("spool-lane-full", 1_900UL), (loss.Stage, loss.Count));
        Assert.True(loss.FromNs > 0 && loss.ToNs - loss.FromNs == 84_300);
    }

    [Fact]
    public async Task How_far_a_session_is_lies_behind_its_traces_and_is_not_said_while_a_loss_still_waits()
    {
        await using ActorTestSystem test = new();
        TestProbe<SpoolMessage> slow = new(test.System, "slow");
        SpoolLane lane = new(slow.Ref);
        SpoolOutput output = new("s1", lane);

        output.Write(Samples.Forwarded());
        output.Flush();
        output.CaughtUp(77);
        Assert.IsType<SpoolTraces>(await slow.ExpectMessageAsync());
        KeepFact mark = Assert.IsType<KeepFact>(await slow.ExpectMessageAsync());
        Assert.Equal(("caught-up s1", 77L), (mark.Name, BitConverter.ToInt64(mark.Value)));

        for (int i = 0; i < 10_000; i++)
        {
            output.Write(Samples.Forwarded());
        }
        output.Flush(); // more than finds room
        output.CaughtUp(78);
        output.Complete(Samples.Session(), Samples.Statistics());
        Assert.IsType<SpoolLosses>(await slow.ExpectMessageAsync());
    }
}
