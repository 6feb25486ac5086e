using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using NftCluster.Controller.Live;
using NftCluster.Messages.Link;
using NftCluster.TestKit;
using NftCluster.Tests.Controller.Api;
using NftCluster.Tests.Controller.Storage;

namespace NftCluster.Tests.Controller.Live;

/// <summary>What viewers are told, and what a slow one loses.</summary>
public sealed class LiveTests
{
    [Fact]
    public async Task A_viewer_of_a_session_hears_its_states_and_no_other_session_s()
    {
        await using ApiRig rig = await ApiRig.StartAsync();
        string id = await SessionAsync(rig);
        string other = await SessionAsync(rig);
        using ClientWebSocket socket = await ConnectAsync(rig, rig.AdminToken);
        await SendAsync(socket, $$"""{"watch":"{{id}}"}""");
        Assert.Equal("watching", ApiRig.Text(await ReadAsync(socket), "type"));

        await ApiRig.JsonAsync(await rig.SendAsync(HttpMethod.Post, $"/api/sessions/{other}/pause", rig.AdminToken, null));
        await ApiRig.JsonAsync(await rig.SendAsync(HttpMethod.Post, $"/api/sessions/{id}/pause", rig.AdminToken, null));

        JsonElement heard = await ReadAsync(socket);
        Assert.Equal(("session_state", id, true), (ApiRig.Text(heard, "type"), ApiRig.Text(heard, "session_id"), heard.GetProperty("is_paused").GetBoolean()));
    }

    [Fact]
    public async Task The_token_may_come_in_the_first_message()
    {
        await using ApiRig rig = await ApiRig.StartAsync();
        using ClientWebSocket socket = await ConnectAsync(rig, null);

        await SendAsync(socket, $$"""{"token":"{{await rig.TokenOfAsync("viewer")}}"}""");
        await SendAsync(socket, """{"watch":null}""");

        Assert.Equal("watching", ApiRig.Text(await ReadAsync(socket), "type"));
    }

    [Theory]
    [InlineData("x")]
    [InlineData("NFS1.unknown")]
    public async Task Without_a_good_token_the_socket_is_closed(string token)
    {
        await using ApiRig rig = await ApiRig.StartAsync();
        using ClientWebSocket socket = await ConnectAsync(rig, token);

        WebSocketReceiveResult closed = await socket.ReceiveAsync(new byte[100], TestContext.Current.CancellationToken).WaitAsync(Patience.Default, TestContext.Current.CancellationToken);

        Assert.Equal((WebSocketMessageType.Close, WebSocketCloseStatus.PolicyViolation), (closed.MessageType, closed.CloseStatus));
    }

    [Theory]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("{\"watch\":1}")]
    [InlineData("{\"follow\":\"x\"}")]
    public async Task Nonsense_ends_the_socket_with_what_would_be_right(string message)
    {
        await using ApiRig rig = await ApiRig.StartAsync();
        using ClientWebSocket socket = await ConnectAsync(rig, rig.AdminToken);

        await SendAsync(socket, message);
        WebSocketReceiveResult closed = await socket.ReceiveAsync(new byte[100], TestContext.Current.CancellationToken).WaitAsync(Patience.Default, TestContext.Current.CancellationToken);

        Assert.Contains("watch", closed.CloseStatusDescription, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_slow_viewer_loses_the_oldest_and_is_told_how_many()
    {
        LiveViewer viewer = new();
        for (int i = 0; i < LiveViewer.MostWaiting + 3; i++)
        {
            viewer.Offer(Encoding.UTF8.GetBytes($"{i}"));
        }

        string first = Encoding.UTF8.GetString((await TakeAsync(viewer)).Span);
        string second = Encoding.UTF8.GetString((await TakeAsync(viewer)).Span);

        Assert.Equal("""{"type":"lost","messages":3,"total":3}""", first);
        Assert.Equal("3", second);
    }

    [Fact]
    public async Task Traces_beyond_the_cap_are_counted_in_the_next_that_is_shown()
    {
        await using ActorTestSystem test = new();
        NftCluster.Actors.ActorRef<LiveMessage> hub = test.Spawn<LiveMessage>("hub", () => new LiveHubActor());
        LiveViewer viewer = new();
        hub.Tell(new Watch(viewer, "s1"));
        hub.Tell(new PayloadTold("n", "r1", Batch(LiveHubActor.MostTracesPerSecond + 40)));
        await hub.FenceAsync();
        test.Time.Advance(TimeSpan.FromSeconds(1));
        hub.Tell(new PayloadTold("n", "r1", Batch(1)));
        await hub.FenceAsync();

        List<long> of = [];
        while (of.Count <= LiveHubActor.MostTracesPerSecond)
        {
            using var line = JsonDocument.Parse(await TakeAsync(viewer));
            if (line.RootElement.GetProperty("type").GetString() == "trace")
            {
                of.Add(line.RootElement.GetProperty("of").GetInt64());
            }
        }
        Assert.Equal([.. Enumerable.Repeat(1L, LiveHubActor.MostTracesPerSecond), 41], of);
    }

    private static Task<ReadOnlyMemory<byte>> TakeAsync(LiveViewer viewer) =>
        viewer.TakeAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(Patience.Default, TestContext.Current.CancellationToken);

    private static Payload Batch(int traces) => Frames.Payload([.. Enumerable.Range(0, traces).Select(Frames.Numbered)]);

    private static async Task<string> SessionAsync(ApiRig rig) =>
        ApiRig.Text(await ApiRig.JsonAsync(await rig.SendAsync(HttpMethod.Post, "/api/sessions", rig.AdminToken, new { name = "watched" })), "id");

    private static async Task<ClientWebSocket> ConnectAsync(ApiRig rig, string? token)
    {
        ClientWebSocket socket = new();
        socket.Options.RemoteCertificateValidationCallback = (_, _, _, _) => true;
        socket.Options.AddSubProtocol("nftcluster");
        if (token is not null)
        {
            socket.Options.AddSubProtocol($"bearer.{token}");
        }
        await socket.ConnectAsync(new Uri($"wss://127.0.0.1:{rig.Controller.Host.WebPort}/api/ws"), TestContext.Current.CancellationToken);
        return socket;
    }

    private static Task SendAsync(ClientWebSocket socket, string message) => socket.SendAsync(Encoding.UTF8.GetBytes(message), WebSocketMessageType.Text, true, TestContext.Current.CancellationToken);

    private static async Task<JsonElement> ReadAsync(ClientWebSocket socket)
    {
        byte[] buffer = new byte[64 << 10];
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        patience.CancelAfter(Patience.Default);
        WebSocketReceiveResult read = await socket.ReceiveAsync(buffer, patience.Token);
        using var document = JsonDocument.Parse(buffer.AsMemory(0, read.Count));
        return document.RootElement.Clone();
    }
}
