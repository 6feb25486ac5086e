using System.Net.Http.Json;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Google.Protobuf;
using NftCluster.Controller.Cluster;
using NftCluster.Messages.Link;
using NftCluster.TestKit;

namespace NftCluster.Tests.Controller.Cluster;

/// <summary>A node as the wire sees it: joins by HTTPS, speaks frames over its own TLS WebSocket, and does only what the test says.</summary>
internal sealed class ScriptedNode : IDisposable
{
    private readonly RunningController _controller;
    private ClientWebSocket? _socket;

    private ScriptedNode(RunningController controller, string name, string id, X509Certificate2 certificate) => (_controller, Name, Id, Certificate) = (controller, name, id, certificate);

    public string Name { get; }

    public string Id { get; }

    public X509Certificate2 Certificate { get; }

    public ulong Epoch { get; } = BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(8)) | 1;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static JoinRequest Request(ECDsa key, string secret, string name) => new()
    {
        Secret = secret,
        Name = name,
        CsrPem = new CertificateRequest("CN=whatever", key, HashAlgorithmName.SHA256).CreateSigningRequestPem(),
        KeyId = Convert.ToHexStringLower(SHA256.HashData(key.ExportSubjectPublicKeyInfo())),
    };

    public static async Task<ScriptedNode> JoinAsync(RunningController controller, string name, JoinToken? token = null)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        token ??= await controller.TokenAsync();
        using HttpClient client = controller.Client();
        using HttpResponseMessage response = await client.PostAsJsonAsync("/join", Request(key, token.Secret, name), JoinJson.Default.JoinRequest, Token);
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync(Token));
        JoinAnswer answer = (await response.Content.ReadFromJsonAsync(JoinJson.Default.JoinAnswer, Token))!;
        return new ScriptedNode(controller, name, answer.NodeId, WithKey(answer.CertificatePem, key));
    }

    public static X509Certificate2 WithKey(string certificatePem, ECDsa key)
    {
        using var bare = X509Certificate2.CreateFromPem(certificatePem);
        using X509Certificate2 both = bare.CopyWithPrivateKey(key);
        return X509CertificateLoader.LoadPkcs12(both.Export(X509ContentType.Pkcs12), null);
    }

    public async Task DialAsync()
    {
        _socket?.Dispose();
        _socket = new ClientWebSocket();
        _socket.Options.AddSubProtocol(LinkOptions.SubProtocol);
        _socket.Options.ClientCertificates.Add(Certificate);
        _socket.Options.RemoteCertificateValidationCallback = (_, _, _, _) => true;
        await _socket.ConnectAsync(new Uri($"wss://127.0.0.1:{_controller.Host.NodePort}/link"), Token);
    }

    public Hello Hello() => new() { ProtocolOldest = 1, ProtocolNewest = 1, Name = Name, Epoch = Epoch, Host = new Host { Hostname = Name, Version = "test", KernelRelease = "6.1" } };

    public async Task<Welcome> ConnectAsync(Hello? hello = null)
    {
        await DialAsync();
        await SendAsync(new NodeFrame { Hello = hello ?? Hello() });
        return (await ReceiveAsync(ControllerFrame.FrameOneofCase.Welcome)).Welcome;
    }

    public Task SendAsync(NodeFrame frame) => SendAsync(frame.ToByteArray());

    public Task SendAsync(byte[] bytes, WebSocketMessageType type = WebSocketMessageType.Binary, bool isWhole = true) => _socket!.SendAsync(bytes, type, isWhole, Token);

    public Data Data(ulong sequence, Payload payload)
    {
        PackedPayload packed = DataFrame.Pack(payload);
        return new Data { Epoch = Epoch, Sequence = sequence, Compression = packed.Compression, PayloadBytes = (uint)packed.PayloadBytes, Hash = packed.Hash, Payload = ByteString.CopyFrom(packed.Bytes) };
    }

    public static Payload Report(string sessionId, string state, string failure = "") => new() { Report = new SessionReport { SessionId = sessionId, State = state, FailureReason = failure, AtNs = 1 } };

    public async Task ObserveAsync(Desired desired, string state, string failure = "")
    {
        Observed observed = new() { ControllerIncarnation = desired.ControllerIncarnation, Generation = desired.Generation };
        observed.Session.AddRange(desired.Session.Select(session => new ObservedSession { Id = session.Id, Generation = session.Generation, State = state, FailureReason = failure }));
        await SendAsync(new NodeFrame { Observed = observed });
    }

    /// <summary>Passes over frames of other kinds; null = the controller closed.</summary>
    public async Task<ControllerFrame> ReceiveAsync(ControllerFrame.FrameOneofCase kind, Func<ControllerFrame, bool>? which = null)
    {
        while (true)
        {
            ControllerFrame frame = await TryReceiveAsync().WithPatience($"waiting for {kind}") ?? throw new InvalidOperationException($"closed before {kind} came");
            if (frame.FrameCase == kind && (which is null || which(frame)))
            {
                return frame;
            }
            Assert.True(frame.FrameCase != ControllerFrame.FrameOneofCase.Refusal, $"refused: {frame.Refusal?.Text}");
        }
    }

    public async Task<Desired> DesiredAsync(Func<Desired, bool> which) => (await ReceiveAsync(ControllerFrame.FrameOneofCase.Desired, frame => which(frame.Desired))).Desired;

    public async Task<ControllerFrame?> TryReceiveAsync()
    {
        byte[] buffer = new byte[1 << 20];
        int length = 0;
        while (true)
        {
            WebSocketReceiveResult piece;
            try
            {
                piece = await _socket!.ReceiveAsync(new ArraySegment<byte>(buffer, length, buffer.Length - length), Token);
            }
            catch (WebSocketException)
            {
                return null;
            }
            if (piece.MessageType == WebSocketMessageType.Close)
            {
                return null;
            }
            length += piece.Count;
            if (piece.EndOfMessage)
            {
                return ControllerFrame.Parser.ParseFrom(buffer, 0, length);
            }
        }
    }

    public void HangUp() => _socket?.Abort();

    public void Dispose()
    {
        _socket?.Dispose();
        Certificate.Dispose();
    }
}
