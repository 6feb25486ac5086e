using NftCluster.Node.Kernel;
using NftCluster.Node.Sessions;
using NftCluster.Tests.Node.Pipeline;

namespace NftCluster.Tests.Node.Sessions;

public sealed class SessionActorTests : IDisposable
{
    private readonly RecordingOutput _output = new();
    private readonly EventScript _script = new();

    [Fact]
    public async Task A_session_ends_in_order_and_loses_no_event_that_was_under_way()
    {
        await using SessionRig rig = await SessionRig.RunningAsync(SessionRig.Spec(_output));
        rig.Play(_script.Forward(SessionRig.Packet(1)));

        Task<SessionEnded> ending = rig.StopAsync();
        await rig.Node.ExpectMessageAsync(m => m is EndEvents { Bit: SessionRig.Bit });
        rig.Play(_script.Forward(SessionRig.Packet(2)));
        await rig.Node.ExpectNoMessageAsync("nothing is told to the node twice", rig.Shard, rig.Session);
        Assert.DoesNotContain("complete", _output.Calls, StringComparer.Ordinal);
        rig.Session.Tell(new EventsEnded());
        SessionEnded ended = await ending;

        Assert.Equal(("STOPPED", null, 2L, 10L), (ended.Session.State, ended.Session.FailureReason, ended.Statistics.TotalPackets, ended.Statistics.TotalEvents));
        Assert.Equal(["write", "write", "flush", "complete"], _output.Calls, StringComparer.Ordinal);
        Assert.Equal((2L, "STOPPED"), (_output.Statistics!.TotalPackets, _output.Session!.State));
    }

    [Fact]
    public async Task A_session_without_outputs_counts_and_ends()
    {
        await using SessionRig rig = await SessionRig.RunningAsync(SessionRig.Spec());
        rig.Play(_script.Forward(SessionRig.Packet(1)));

        Task<SessionEnded> ending = rig.StopAsync();
        await rig.EndEventsAsync();

        SessionEnded ended = await ending;
        Assert.Equal(("STOPPED", 1L), (ended.Session.State, ended.Statistics.TotalPackets));
    }

    [Fact]
    public async Task Everyone_who_asks_for_the_end_is_answered_also_afterwards()
    {
        await using SessionRig rig = await SessionRig.RunningAsync(SessionRig.Spec(_output));
        Task<SessionEnded> first = rig.StopAsync();
        Task<SessionEnded> second = rig.StopAsync();
        await rig.EndEventsAsync();

        Assert.All(new[] { await first, await second, await rig.StopAsync() }, ended => Assert.Equal("STOPPED", ended.Session.State));
    }

    [Fact]
    public async Task A_filter_that_libpcap_refuses_is_answered_with_its_message_and_the_old_one_stays()
    {
        await using SessionRig rig = await SessionRig.RunningAsync(SessionRig.Spec(_output) with { Filter = "udp" });

        FilterAnswer answer = await rig.ChangeFilterAsync("host and");
        Task<SessionEnded> ending = rig.StopAsync();
        await rig.EndEventsAsync();

        Assert.Contains("syntax error", answer.Error, StringComparison.Ordinal);
        Assert.Equal("udp", (await ending).Session.Filter);
    }

    [Fact]
    public async Task A_filter_that_the_node_refuses_leaves_the_old_one()
    {
        await using SessionRig rig = await SessionRig.RunningAsync(SessionRig.Spec(_output) with { Filter = "udp" });
        rig.FilterRefusal = "no room";

        Assert.Equal("no room", (await rig.ChangeFilterAsync("tcp")).Error);
        Task<SessionEnded> ending = rig.StopAsync();
        await rig.EndEventsAsync();

        Assert.Equal("udp", (await ending).Session.Filter);
    }

    [Fact]
    public async Task A_filter_that_was_taken_is_the_sessions()
    {
        await using SessionRig rig = await SessionRig.RunningAsync(SessionRig.Spec(_output) with { Filter = "udp" });

        Assert.Null((await rig.ChangeFilterAsync("tcp port 80")).Error);
        Task<SessionEnded> ending = rig.StopAsync();
        await rig.EndEventsAsync();

        Assert.Equal("tcp port 80", (await ending).Session.Filter);
    }

    [Fact]
    public async Task The_packet_limit_stops_the_session_by_itself_and_no_more_are_handed_out()
    {
        await using SessionRig rig = await SessionRig.RunningAsync(SessionRig.Spec(_output) with { MaxPackets = 2 });
        Skb reused = SessionRig.Packet(1);

        rig.Play(_script.Forward(reused).Forward(reused).Forward(reused));

        await rig.EndEventsAsync();
        Assert.Equal(("STOPPED", 3L), (await rig.StopAsync()) switch { var ended => (ended.Session.State, ended.Statistics.TotalPackets) });
        Assert.Equal(2, _output.Traces.Count());
    }

    [Fact]
    public async Task Status_tells_the_numbers_so_far_and_every_stage_that_can_lose_something()
    {
        await using SessionRig rig = await SessionRig.RunningAsync(SessionRig.Spec(_output));
        rig.Counts = new KernelCounts(100, 7, 2, 0, 1, 5, 3, 4);
        rig.Play(_script.Forward(SessionRig.Packet(1)).Consume(SessionRig.Packet(9)));

        SessionStatus status = await rig.StatusAsync();

        Assert.Equal((SessionState.Running, 6L), (status.State, status.Statistics.TotalEvents));
        Assert.Equal(
            ["probe-missed 3", "filter-unasked 1", "call-untimed 5", "ring-full 7", "batch-lane-full 0", "track-evicted 2", "orphaned 1", "trace-evicted 0", "trace-failed 0", "nft-unjoined 0", "nft-message-lost 4", "output-lane-full 0", "live-lane-full 0"],
            status.Statistics.Losses.Select(l => $"{l.Stage} {l.Count}"),
            StringComparer.Ordinal);
    }

    [Fact]
    public async Task An_event_that_throws_costs_one_trace_and_the_session_goes_on()
    {
        await using SessionRig rig = await SessionRig.RunningAsync(SessionRig.Spec(_output));
        Skb bad = SessionRig.Packet(7);
        rig.Play(_script.Receive(bad).Broken(bad).Forward(SessionRig.Packet(1)));

        Task<SessionEnded> ending = rig.StopAsync();
        await rig.EndEventsAsync();
        SessionEnded ended = await ending;

        Assert.Equal(("STOPPED", 1L), (ended.Session.State, ended.Statistics.TotalPackets));
        Assert.Equal(1, ended.Statistics.Losses.Single(l => l.Stage == "trace-failed").Count);
    }

    [Fact]
    public async Task Lone_events_are_written_only_when_all_are_wanted()
    {
        foreach ((string quality, int written) in new[] { ("valuable", 1), ("all", 2) })
        {
            RecordingOutput output = new();
            await using SessionRig rig = await SessionRig.RunningAsync(SessionRig.Spec(output) with { Quality = quality });
            rig.Play(new EventScript().Forward(SessionRig.Packet(1)).Receive(SessionRig.Packet(2)));
            Task<SessionEnded> ending = rig.StopAsync();
            await rig.EndEventsAsync();

            SessionEnded ended = await ending;
            Assert.Equal((2L, 1L), (ended.Statistics.TotalPackets, ended.Statistics.ValuablePackets));
            Assert.Equal(written, output.Traces.Count());
        }
    }

    public void Dispose() => _output.Dispose();
}
