using System.Net;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Threading.Channels;
using Google.Protobuf;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.Logging;
using NftCluster.Messages.Link;
using NftCluster.Node.Uplink;
using NftCluster.TestKit;

namespace NftCluster.Tests.Node.Uplink;

/// <summary>A peer that speaks the real wire (Kestrel, TLS, client certificates, WebSocket) and says exactly what the test tells it to.</summary>
internal sealed class ScriptedController : IAsyncDisposable
{
    public const string Secret = "the-secret_1";

    private readonly WebApplication _app;
    private readonly Channel<ScriptedLink> _links = Channel.CreateUnbounded<ScriptedLink>();

    private ScriptedController(TestAuthority authority, X509Certificate2 shown)
    {
        Authority = authority;
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseHttps(https =>
        {
            https.ServerCertificate = shown;
            https.ClientCertificateMode = ClientCertificateMode.AllowCertificate;
            https.ClientCertificateValidation = (_, _, _) => true;
        })));
        _app = builder.Build();
        _app.UseWebSockets();
        _app.MapGet("/ca", () => authority.Certificate.ExportCertificatePem());
        _app.MapPost("/join", (Delegate)JoinAsync); // as a bare request delegate its result would be dropped
        _app.MapPost("/renew", (Delegate)RenewAsync);
        _app.Map("/link", LinkAsync);
    }

    public TestAuthority Authority { get; }

    public int Joins { get; private set; }

    public int Renewals { get; private set; }

    public DateTimeOffset RenewAfter { get; set; } = DateTimeOffset.UtcNow.AddDays(10);

    /// <summary>Null = nodes may come in.</summary>
    public int? LinkStatus { get; set; }

    public ControllerAddress Address => ControllerAddress.TryParse(_app.Urls.Single(), out ControllerAddress? address) ? address! : throw new InvalidOperationException(_app.Urls.Single());

    public JoinToken Token => new(Authority.Sha256, Secret);

    public static async Task<ScriptedController> StartAsync()
    {
        TestAuthority authority = new();
        ScriptedController controller = new(authority, authority.IssueWithKey("nftcluster-controller", TestAuthority.Server));
        await controller._app.StartAsync(TestContext.Current.CancellationToken);
        return controller;
    }

    /// <summary>The next connection, its Hello read and answered.</summary>
    public async Task<ScriptedLink> AcceptAsync(ulong credit = 1 << 20, params Ack[] committed)
    {
        ScriptedLink link = await _links.Reader.ReadAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(TimeSpan.FromSeconds(30));
        link.Hello = (await link.ExpectAsync(NodeFrame.FrameOneofCase.Hello)).Hello;
        Welcome welcome = new() { Protocol = 1, NodeId = "n1", ControllerIncarnation = ByteString.CopyFromUtf8("one"), CreditBytes = credit, HeartbeatMs = 500, ControllerVersion = "test" };
        welcome.Committed.Add(committed);
        await link.SendAsync(new ControllerFrame { Welcome = welcome });
        return link;
    }

    public async ValueTask DisposeAsync()
    {
        using CancellationTokenSource now = new();
        await now.CancelAsync();
        await _app.StopAsync(now.Token);
        await _app.DisposeAsync();
    }

    private async Task<IResult> JoinAsync(HttpContext context)
    {
        JoinRequest request = (await context.Request.ReadFromJsonAsync(JoinJson.Default.JoinRequest))!;
        Joins++;
        return request.Secret == Secret ? Answer(request.CsrPem) : Results.Problem("the token was used up", statusCode: 403);
    }

    private async Task<IResult> RenewAsync(HttpContext context)
    {
        RenewRequest request = (await context.Request.ReadFromJsonAsync(JoinJson.Default.RenewRequest))!;
        Renewals++;
        RenewAfter = DateTimeOffset.UtcNow.AddDays(10);
        return context.Connection.ClientCertificate is null ? Results.Problem("no certificate", statusCode: 401) : Answer(request.CsrPem);
    }

    private IResult Answer(string csrPem)
    {
        var asked = CertificateRequest.LoadSigningRequestPem(csrPem, HashAlgorithmName.SHA256);
        using X509Certificate2 certificate = Authority.Issue("n1", asked.PublicKey, TestAuthority.Client);
        return Results.Json(new JoinAnswer { NodeId = "n1", CertificatePem = certificate.ExportCertificatePem(), CaPem = Authority.Certificate.ExportCertificatePem(), RenewAfter = RenewAfter }, JoinJson.Default.JoinAnswer);
    }

    private async Task LinkAsync(HttpContext context)
    {
        if (LinkStatus is { } status || context.Connection.ClientCertificate?.Issuer != Authority.Certificate.Subject)
        {
            context.Response.StatusCode = LinkStatus ?? 403;
            return;
        }
        using WebSocket socket = await context.WebSockets.AcceptWebSocketAsync(LinkSocket.Subprotocol);
        ScriptedLink link = new(socket);
        _links.Writer.TryWrite(link);
        await link.RunAsync(context.RequestAborted);
    }
}

/// <summary>One connection of a node, frame by frame.</summary>
internal sealed class ScriptedLink(WebSocket socket)
{
    private readonly Channel<NodeFrame> _frames = Channel.CreateUnbounded<NodeFrame>();
    private readonly TaskCompletionSource _cut = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>One each half second: a minute.</summary>
    private const int MostBeats = 120;

    private int _beats;

    public Hello Hello { get; set; } = null!;

    /// <summary>The next frame of this kind; others before it are passed over.</summary>
    public async Task<NodeFrame> ExpectAsync(NodeFrame.FrameOneofCase kind)
    {
        List<string> seen = [];
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        patience.CancelAfter(TimeSpan.FromSeconds(60));
        try
        {
            while (true)
            {
                NodeFrame frame = await _frames.Reader.ReadAsync(patience.Token);
                if (frame.FrameCase == kind)
                {
                    return frame;
                }
                seen.Add(frame.FrameCase.ToString());
            }
        }
        catch (Exception e) when (e is OperationCanceledException or ChannelClosedException)
        {
            throw new TestProbeException($"no {kind} came; before: [{string.Join(", ", seen)}]", e);
        }
    }

    public async Task<NodeFrame> NextAsync()
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        patience.CancelAfter(TimeSpan.FromSeconds(60));
        try
        {
            NodeFrame? frame = null;
            do
            {
                frame = await _frames.Reader.ReadAsync(patience.Token);
                _beats = frame.Heartbeat is null ? 0 : _beats + 1;
                if (_beats > MostBeats)
                {
                    throw new TestProbeException($"{MostBeats} heartbeats and nothing else came");
                }
                if (frame.Heartbeat is { } beat)
                {
                    await SendAsync(new ControllerFrame { HeartbeatEcho = new HeartbeatEcho { Number = beat.Number } });
                }
            }
            while (frame.Heartbeat is not null);
            return frame;
        }
        catch (Exception e) when (e is OperationCanceledException or ChannelClosedException)
        {
            throw new TestProbeException("no frame came", e);
        }
    }

    public bool HasData => _frames.Reader.TryPeek(out NodeFrame? next) && next.FrameCase == NodeFrame.FrameOneofCase.Data;

    public async Task<(Data Data, Payload Payload)> ExpectDataAsync()
    {
        Data data = (await ExpectAsync(NodeFrame.FrameOneofCase.Data)).Data;
        return (data, DataFrame.Unpack(data));
    }

    public Task AckAsync(Data data, ulong credit = 1 << 20) =>
        SendAsync(new ControllerFrame { Ack = new Ack { Epoch = data.Epoch, Sequence = data.Sequence, CreditBytes = credit } });

    public async Task SendAsync(ControllerFrame frame) =>
        await socket.SendAsync(frame.ToByteArray(), WebSocketMessageType.Binary, endOfMessage: true, TestContext.Current.CancellationToken);

    /// <summary>As a network that fails: no close, no word.</summary>
    public void Cut()
    {
        socket.Abort();
        _cut.TrySetResult();
    }

    public async Task RunAsync(CancellationToken aborted)
    {
        byte[] buffer = new byte[4 << 20];
        int length = 0;
        try
        {
            while (true)
            {
                WebSocketReceiveResult part = await socket.ReceiveAsync(new ArraySegment<byte>(buffer, length, buffer.Length - length), aborted);
                if (part.MessageType == WebSocketMessageType.Close)
                {
                    break;
                }
                length += part.Count;
                if (part.EndOfMessage)
                {
                    _frames.Writer.TryWrite(NodeFrame.Parser.ParseFrom(buffer.AsSpan(0, length)));
                    length = 0;
                }
            }
        }
        catch (Exception gone) when (gone is WebSocketException or OperationCanceledException)
        {
            // The node, or the test, has ended the connection.
        }
        _frames.Writer.TryComplete();
    }
}
