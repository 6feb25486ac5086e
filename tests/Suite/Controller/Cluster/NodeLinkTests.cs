using System.Net.WebSockets;
using System.Security.Cryptography;
using NftCluster.Controller.Cluster;
using NftCluster.Controller.Sessions;
using NftCluster.Messages.Link;
using NftCluster.TestKit;

namespace NftCluster.Tests.Controller.Cluster;

public sealed class NodeLinkTests : IAsyncLifetime
{
    private RunningController _controller = null!;

    public async ValueTask InitializeAsync() => _controller = await RunningController.StartAsync(new LinkOptions { CreditBytes = 64 << 10, Heartbeat = TimeSpan.FromSeconds(1) });

    public ValueTask DisposeAsync() => _controller.DisposeAsync();

    [Fact]
    public async Task A_node_is_welcomed_with_version_credit_and_the_whole_set()
    {
        using ScriptedNode node = await ScriptedNode.JoinAsync(_controller, "r1");
        Welcome welcome = await node.ConnectAsync();
        Assert.Equal((1u, node.Id, 64ul << 10), (welcome.Protocol, welcome.NodeId, welcome.CreditBytes));
        Assert.Equal(welcome.ControllerIncarnation, (await node.DesiredAsync(_ => true)).ControllerIncarnation);
        Assert.Equal(NodeView.Connected, (await _controller.NodeAsync("r1")).State);
    }

    [Fact]
    public async Task Data_is_acknowledged_when_it_is_committed_and_known_after_a_restart()
    {
        using ScriptedNode node = await ScriptedNode.JoinAsync(_controller, "r1");
        await node.ConnectAsync();
        for (ulong sequence = 1; sequence <= 3; sequence++)
        {
            await node.SendAsync(new NodeFrame { Data = node.Data(sequence, ScriptedNode.Report("s", "RUNNING")) });
        }
        Ack last = (await node.ReceiveAsync(ControllerFrame.FrameOneofCase.Ack, frame => frame.Ack.Sequence == 3)).Ack;
        Assert.Equal(node.Epoch, last.Epoch);
        await _controller.RestartAsync();
        Assert.Equal([(node.Epoch, 3ul)], (await node.ConnectAsync()).Committed.Select(ack => (ack.Epoch, ack.Sequence)));
    }

    [Fact]
    public async Task A_repeat_is_acknowledged_again_and_stored_once()
    {
        using ScriptedNode node = await ScriptedNode.JoinAsync(_controller, "r1");
        await node.ConnectAsync();
        Data data = node.Data(1, ScriptedNode.Report("s", "RUNNING"));
        await node.SendAsync(new NodeFrame { Data = data });
        await node.ReceiveAsync(ControllerFrame.FrameOneofCase.Ack);
        await node.SendAsync(new NodeFrame { Data = data });
        Assert.Equal(1ul, (await node.ReceiveAsync(ControllerFrame.FrameOneofCase.Ack)).Ack.Sequence);
    }

    [Fact]
    public async Task A_number_with_other_content_is_a_conflict()
    {
        using ScriptedNode node = await ScriptedNode.JoinAsync(_controller, "r1");
        await node.ConnectAsync();
        await node.SendAsync(new NodeFrame { Data = node.Data(1, ScriptedNode.Report("s", "RUNNING")) });
        await node.ReceiveAsync(ControllerFrame.FrameOneofCase.Ack);
        await node.SendAsync(new NodeFrame { Data = node.Data(1, ScriptedNode.Report("s", "STOPPED")) });
        Assert.Equal(Refusal.Types.Reason.Conflict, (await RefusalOf(node)).Reason);
    }

    [Theory]
    [InlineData(2, 3)]
    [InlineData(0, 0)]
    [InlineData(1, 0)]
    public async Task Without_a_version_in_common_the_node_is_told_which_ones_there_are(uint oldest, uint newest)
    {
        using ScriptedNode node = await ScriptedNode.JoinAsync(_controller, "r1");
        await node.DialAsync();
        Hello hello = node.Hello();
        (hello.ProtocolOldest, hello.ProtocolNewest) = (oldest, newest);
        await node.SendAsync(new NodeFrame { Hello = hello });
        Refusal refusal = await RefusalOf(node);
        Assert.Equal(Refusal.Types.Reason.Protocol, refusal.Reason);
        Assert.Contains($"the node {oldest} to {newest}", refusal.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_node_that_speaks_one_version_more_is_spoken_to_in_ours()
    {
        using ScriptedNode node = await ScriptedNode.JoinAsync(_controller, "r1");
        Hello hello = node.Hello();
        hello.ProtocolNewest = 2;
        Assert.Equal(1u, (await node.ConnectAsync(hello)).Protocol);
    }

    [Fact]
    public async Task A_revoked_node_is_cut_off_at_once_and_not_let_in_again()
    {
        using ScriptedNode node = await ScriptedNode.JoinAsync(_controller, "r1");
        await node.ConnectAsync();
        await _controller.AskAsync<NodeView>(reply => new RevokeNode("r1", "alice", reply));
        Assert.Equal(Refusal.Types.Reason.Revoked, (await RefusalOf(node)).Reason);
        await node.DialAsync();
        await node.SendAsync(new NodeFrame { Hello = node.Hello() });
        Assert.Equal(Refusal.Types.Reason.Revoked, (await RefusalOf(node)).Reason);
        Assert.Equal(NodeView.Revoked, (await _controller.NodeAsync("r1")).State);
    }

    [Fact]
    public async Task The_newest_connection_of_a_node_takes_over()
    {
        using ScriptedNode node = await ScriptedNode.JoinAsync(_controller, "r1");
        await node.ConnectAsync();
        using ClientWebSocket second = new();
        second.Options.AddSubProtocol(LinkOptions.SubProtocol);
        second.Options.ClientCertificates.Add(node.Certificate);
        second.Options.RemoteCertificateValidationCallback = (_, _, _, _) => true;
        await second.ConnectAsync(new Uri($"wss://127.0.0.1:{_controller.Host.NodePort}/link"), TestContext.Current.CancellationToken);
        await second.SendAsync(Google.Protobuf.MessageExtensions.ToByteArray(new NodeFrame { Hello = node.Hello() }), WebSocketMessageType.Binary, true, TestContext.Current.CancellationToken);
        Assert.Equal(Refusal.Types.Reason.Duplicate, (await RefusalOf(node)).Reason);
        Assert.Equal(NodeView.Connected, (await _controller.NodeAsync("r1")).State);
    }

    [Fact]
    public async Task A_node_cannot_take_another_nodes_name()
    {
        using ScriptedNode one = await ScriptedNode.JoinAsync(_controller, "r1");
        using ScriptedNode two = await ScriptedNode.JoinAsync(_controller, "r2");
        Hello hello = two.Hello();
        hello.Name = "r1";
        await two.ConnectAsync(hello);
        NodeView seen = await _controller.NodeAsync(two.Id);
        Assert.Equal("r2", seen.Name);
        Assert.Contains("another node is called 'r1'", seen.Problem, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Heartbeats_tell_the_clocks_offset_and_how_far_it_may_be_off()
    {
        using ScriptedNode node = await ScriptedNode.JoinAsync(_controller, "r1");
        await node.ConnectAsync();
        const long Ahead = 5_000_000_000;
        HeartbeatEcho? echo = null;
        long received = 0;
        for (ulong number = 1; number <= 3; number++)
        {
            Heartbeat beat = new() { Number = number, SentNs = Now() + Ahead, EchoedNumber = echo?.Number ?? 0, EchoSentNs = echo?.SentNs ?? 0, EchoReceivedNs = received };
            await node.SendAsync(new NodeFrame { Heartbeat = beat });
            echo = (await node.ReceiveAsync(ControllerFrame.FrameOneofCase.HeartbeatEcho)).HeartbeatEcho;
            received = Now() + Ahead;
        }
        NodeView view = await RunningController.UntilAsync(() => _controller.NodeAsync("r1"), seen => seen.ClockOffsetNs is not null);
        Assert.InRange(view.ClockOffsetNs!.Value, Ahead - view.ClockBoundNs!.Value, Ahead + view.ClockBoundNs.Value);
    }

    [Fact]
    public async Task A_request_reaches_the_node_and_its_answer_comes_back()
    {
        using ScriptedNode node = await ScriptedNode.JoinAsync(_controller, "r1");
        await node.ConnectAsync();
        Task<Result<Reply>> asked = _controller.AskAsync<Reply>(reply => new AskNode("r1", new Request { Probes = new Empty() }, reply));
        Request request = (await node.ReceiveAsync(ControllerFrame.FrameOneofCase.Request)).Request;
        await node.SendAsync(new NodeFrame { Reply = new Reply { Id = request.Id, Json = Google.Protobuf.ByteString.CopyFromUtf8("[]") } });
        Assert.Equal("[]", (await asked).Value!.Json.ToStringUtf8());
    }

    [Fact]
    public async Task Who_asks_a_node_that_goes_away_is_told()
    {
        using ScriptedNode node = await ScriptedNode.JoinAsync(_controller, "r1");
        await node.ConnectAsync();
        Task<Result<Reply>> asked = _controller.AskAsync<Reply>(reply => new AskNode("r1", new Request { Probes = new Empty() }, reply));
        await node.ReceiveAsync(ControllerFrame.FrameOneofCase.Request);
        node.HangUp();
        Assert.Equal(CommandError.Unavailable, (await asked).Error!.Code);
        await RunningController.UntilAsync(() => _controller.NodeAsync("r1"), seen => seen.State == NodeView.Offline);
    }

    [Fact]
    public async Task More_than_the_credit_is_refused()
    {
        using ScriptedNode node = await ScriptedNode.JoinAsync(_controller, "r1");
        await node.ConnectAsync();
        Data data = node.Data(1, ScriptedNode.Report("s", "RUNNING"));
        byte[] noise = RandomNumberGenerator.GetBytes(LinkOptions.MostFrameBytes + 1);
        data.Payload = Google.Protobuf.ByteString.CopyFrom(noise);
        await node.SendAsync(new NodeFrame { Data = data });
        Assert.Contains("a frame of more than", (await RefusalOf(node)).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Fuzzed_frames_end_their_own_connection_and_nothing_else()
    {
        using ScriptedNode healthy = await ScriptedNode.JoinAsync(_controller, "healthy");
        await healthy.ConnectAsync();
        using ScriptedNode node = await ScriptedNode.JoinAsync(_controller, "fuzzer");
        Random random = new(4711);
        for (int round = 0; round < 60; round++)
        {
            await node.ConnectAsync();
            byte[] bytes = Google.Protobuf.MessageExtensions.ToByteArray(new NodeFrame { Data = node.Data(1, ScriptedNode.Report("s", "RUNNING")) });
            switch (round % 4)
            {
                case 0:
                    random.NextBytes(bytes);
                    break;
                case 1:
                    bytes = bytes[..random.Next(bytes.Length)];
                    break;
                case 2:
                    bytes[random.Next(bytes.Length)] ^= (byte)(1 << random.Next(8));
                    break;
                default:
                    await node.SendAsync(bytes, WebSocketMessageType.Text);
                    continue;
            }
            await node.SendAsync(bytes);
        }
        await healthy.SendAsync(new NodeFrame { Data = healthy.Data(1, ScriptedNode.Report("s", "RUNNING")) });
        Assert.Equal(1ul, (await healthy.ReceiveAsync(ControllerFrame.FrameOneofCase.Ack)).Ack.Sequence);
    }

    private static long Now() => NodeConnection.UnixNs(TimeProvider.System.GetUtcNow());

    private static async Task<Refusal> RefusalOf(ScriptedNode node)
    {
        while (await node.TryReceiveAsync().WithPatience("waiting for a refusal") is { } frame)
        {
            if (frame.Refusal is { } refusal)
            {
                return refusal;
            }
        }
        throw new InvalidOperationException("closed without a refusal");
    }
}
