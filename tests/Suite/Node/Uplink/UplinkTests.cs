using Google.Protobuf;
using NftCluster.Messages.Link;
using NftCluster.Node.Agent;
using NftCluster.Node.Spool;
using NftCluster.Node.Uplink;
using NftCluster.Tests.Faults;
using NftCluster.Tests.Node.Export;

namespace NftCluster.Tests.Node.Uplink;

public sealed class UplinkTests : IDisposable
{
    private readonly TempDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task A_node_that_joined_says_who_it_is_and_sends_what_its_spool_holds_until_it_is_acknowledged()
    {
        await using ScriptedController controller = await ScriptedController.StartAsync();
        await using RunningUplink uplink = await RunningUplink.StartAsync(controller, _directory);
        uplink.SpoolLoss("one");
        ScriptedLink link = await controller.AcceptAsync();

        Assert.Equal(("r1", "here", 1u), (link.Hello.Name, link.Hello.Labels["site"], link.Hello.ProtocolNewest));
        (Data first, Payload payload) = await link.ExpectDataAsync();
        uplink.SpoolLoss("two");
        (Data second, _) = await link.ExpectDataAsync();
        Assert.Equal("one", payload.Losses.Loss.Single().Stage);
        Assert.Equal((link.Hello.Epoch, 1UL, 2UL), (first.Epoch, first.Sequence, second.Sequence));
        Assert.Equal(2, (await uplink.LevelAsync()).Frames);

        await link.AckAsync(second); // cumulative
        await WhenEmptyAsync(uplink);
    }

    [Fact]
    public async Task After_a_cut_the_same_frames_come_again_under_their_numbers_and_what_was_committed_does_not()
    {
        await using ScriptedController controller = await ScriptedController.StartAsync();
        await using RunningUplink uplink = await RunningUplink.StartAsync(controller, _directory);
        ScriptedLink link = await controller.AcceptAsync();
        uplink.SpoolLoss("one");
        (Data first, _) = await link.ExpectDataAsync();
        uplink.SpoolLoss("two");
        (Data second, _) = await link.ExpectDataAsync();

        link.Cut();
        ScriptedLink again = await controller.AcceptAsync(1 << 20, new Ack { Epoch = first.Epoch, Sequence = first.Sequence });

        (Data repeated, _) = await again.ExpectDataAsync();
        Assert.Equal(second, repeated);
    }

    [Fact]
    public async Task No_more_bytes_are_under_way_than_the_controller_gave_credit_for()
    {
        await using ScriptedController controller = await ScriptedController.StartAsync();
        await using RunningUplink uplink = await RunningUplink.StartAsync(controller, _directory);
        for (int i = 0; i < 5; i++)
        {
            uplink.SpoolLoss($"loss-{i}");
        }
        ScriptedLink link = await controller.AcceptAsync(credit: 40);

        for (ulong sequence = 1; sequence <= 5; sequence++)
        {
            (Data data, _) = await link.ExpectDataAsync();
            Assert.Equal(sequence, data.Sequence);
            Assert.InRange(data.Payload.Length, 21, 40); // so that two of them are too many
            _ = await link.ExpectAsync(NodeFrame.FrameOneofCase.Heartbeat);
            Assert.False(link.HasData);
            await link.AckAsync(data, credit: 40);
        }
        await WhenEmptyAsync(uplink);
    }

    [Fact]
    public async Task Desired_sets_and_requests_go_to_the_agent_and_its_answers_back()
    {
        await using ScriptedController controller = await ScriptedController.StartAsync();
        await using RunningUplink uplink = await RunningUplink.StartAsync(controller, _directory);
        ScriptedLink link = await controller.AcceptAsync();
        await link.SendAsync(new ControllerFrame { Desired = new Desired { Generation = 7 } });
        await link.SendAsync(new ControllerFrame { Request = new Request { Id = 3, Probes = new Empty() } });

        Assert.Equal(7UL, ((DesiredReceived)await uplink.Agent.ExpectMessageAsync()).Desired.Generation);
        Assert.Equal(3UL, ((RequestReceived)await uplink.Agent.ExpectMessageAsync()).Request.Id);
        uplink.Ref.Tell(new TellObserved(new Observed { Generation = 7, ControllerIncarnation = ByteString.CopyFromUtf8("one") }));
        uplink.Ref.Tell(new TellReply(new Reply { Id = 3, Error = "no" }));
        Assert.Equal(7UL, (await link.ExpectAsync(NodeFrame.FrameOneofCase.Observed)).Observed.Generation);
        Assert.Equal("no", (await link.ExpectAsync(NodeFrame.FrameOneofCase.Reply)).Reply.Error);

        link.Cut();
        ScriptedLink again = await controller.AcceptAsync();
        Assert.Equal(("one", 7UL), (again.Hello.ControllerIncarnation.ToStringUtf8(), again.Hello.ObservedGeneration));
        Assert.Equal(7UL, (await again.ExpectAsync(NodeFrame.FrameOneofCase.Observed)).Observed.Generation);
    }

    [Fact]
    public async Task Heartbeats_carry_the_last_echo_back_so_that_the_controller_can_bound_the_clocks()
    {
        await using ScriptedController controller = await ScriptedController.StartAsync();
        await using RunningUplink uplink = await RunningUplink.StartAsync(controller, _directory);
        ScriptedLink link = await controller.AcceptAsync();
        Heartbeat first = (await link.ExpectAsync(NodeFrame.FrameOneofCase.Heartbeat)).Heartbeat;
        await link.SendAsync(new ControllerFrame { HeartbeatEcho = new HeartbeatEcho { Number = first.Number, HeartbeatReceivedNs = 5, SentNs = 6 } });

        Heartbeat next = first;
        while (next.EchoedNumber == 0)
        {
            next = (await link.ExpectAsync(NodeFrame.FrameOneofCase.Heartbeat)).Heartbeat;
        }

        Assert.Equal((first.Number, 6), (next.EchoedNumber, next.EchoSentNs));
        Assert.InRange(next.EchoReceivedNs, first.SentNs, next.SentNs);
    }

    [Fact]
    public async Task A_controller_that_falls_silent_is_left_and_connected_to_again()
    {
        await using ScriptedController controller = await ScriptedController.StartAsync();
        await using RunningUplink uplink = await RunningUplink.StartAsync(controller, _directory);
        _ = await controller.AcceptAsync();

        _ = await controller.AcceptAsync();

        Assert.Contains(uplink.Said, line => line.Contains("nothing heard from the controller", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_conflict_of_numbers_brings_a_new_epoch_in_which_everything_comes_again()
    {
        await using ScriptedController controller = await ScriptedController.StartAsync();
        await using RunningUplink uplink = await RunningUplink.StartAsync(controller, _directory);
        uplink.SpoolLoss("one");
        ScriptedLink link = await controller.AcceptAsync();
        (Data data, _) = await link.ExpectDataAsync();
        await link.SendAsync(new ControllerFrame { Refusal = new Refusal { Reason = Refusal.Types.Reason.Conflict, Text = "sequence 1" } });

        ScriptedLink again = await controller.AcceptAsync();
        (Data renumbered, Payload payload) = await again.ExpectDataAsync();

        Assert.NotEqual(data.Epoch, renumbered.Epoch);
        Assert.Equal((again.Hello.Epoch, 1UL, "one"), (renumbered.Epoch, renumbered.Sequence, payload.Losses.Loss.Single().Stage));
    }

    [Fact]
    public async Task A_full_controller_is_waited_for_and_gets_the_frames_again()
    {
        await using ScriptedController controller = await ScriptedController.StartAsync();
        await using RunningUplink uplink = await RunningUplink.StartAsync(controller, _directory);
        uplink.SpoolLoss("one");
        ScriptedLink link = await controller.AcceptAsync();
        (Data data, _) = await link.ExpectDataAsync();
        await link.SendAsync(new ControllerFrame { Refusal = new Refusal { Reason = Refusal.Types.Reason.Full, Text = "disk full", RetryAfterMs = 50 } });

        ScriptedLink again = await controller.AcceptAsync();

        Assert.Equal(data, (await again.ExpectDataAsync()).Data);
    }

    [Fact]
    public async Task A_node_whose_certificate_is_refused_says_so_and_keeps_its_spool()
    {
        await using ScriptedController controller = await ScriptedController.StartAsync();
        controller.LinkStatus = 403;
        await using RunningUplink uplink = await RunningUplink.StartAsync(controller, _directory);
        uplink.SpoolLoss("one");

        await Eventually.HoldsAsync(() => uplink.Said.Any(line => line.Contains("refuses this node's certificate", StringComparison.Ordinal)), () => string.Join(" | ", uplink.Said));

        controller.LinkStatus = null;
        ScriptedLink link = await controller.AcceptAsync();
        _ = await link.ExpectDataAsync();
    }

    [Fact]
    public async Task A_certificate_that_is_due_is_renewed_before_the_next_connection()
    {
        await using ScriptedController controller = await ScriptedController.StartAsync();
        controller.RenewAfter = DateTimeOffset.UtcNow.AddDays(-1);
        await using RunningUplink uplink = await RunningUplink.StartAsync(controller, _directory);

        _ = await controller.AcceptAsync();

        Assert.Equal((1, 1), (controller.Joins, controller.Renewals));
        Assert.True(new NodeIdentity(_directory.Path).RenewAfter > DateTimeOffset.UtcNow);
    }

    [Fact]
    public async Task A_node_that_is_asked_to_renew_comes_back_with_a_new_certificate()
    {
        await using ScriptedController controller = await ScriptedController.StartAsync();
        await using RunningUplink uplink = await RunningUplink.StartAsync(controller, _directory);
        ScriptedLink link = await controller.AcceptAsync();
        await link.SendAsync(new ControllerFrame { Request = new Request { Id = 1, RenewCertificate = new Empty() } });

        ScriptedLink again = await controller.AcceptAsync();
        await again.SendAsync(new ControllerFrame { Request = new Request { Id = 2, RenewCertificate = new Empty() } });

        Assert.Equal("tried less than an hour ago", (await again.ExpectAsync(NodeFrame.FrameOneofCase.Reply)).Reply.Error);
        Assert.Equal(1, controller.Renewals);
    }

    private static async Task WhenEmptyAsync(RunningUplink uplink)
    {
        SpoolLevelNow level = await uplink.LevelAsync();
        using PeriodicTimer look = new(TimeSpan.FromMilliseconds(10));
        for (int looks = 0; level.Frames > 0 && looks < 1_000; looks++)
        {
            await look.WaitForNextTickAsync(TestContext.Current.CancellationToken);
            level = await uplink.LevelAsync();
        }
        Assert.Equal(0, level.Frames);
    }
}
