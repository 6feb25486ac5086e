using System.Buffers;
using System.Net.Security;
using System.Net.WebSockets;
using System.Security.Cryptography.X509Certificates;
using System.Threading.Channels;
using Google.Protobuf;
using NftCluster.Messages.Link;

namespace NftCluster.Node.Uplink;

/// <summary>
/// One connection to the controller: a loop that reads frames and tells them, a loop that writes what is queued. When either
/// ends, the connection is over, and that is told once.
/// </summary>
internal sealed class LinkSocket : IAsyncDisposable
{
    public const string Subprotocol = "nftcluster-link";

    /// <summary>Desired sets and answers are small; data goes the other way.</summary>
    private const int MostFrameBytes = 4 << 20;

    /// <summary>Data is bounded by the credit; this is for everything.</summary>
    private const int MostQueued = 4_096;

    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(15);

    private readonly WebSocket _socket;
    private readonly HttpMessageInvoker _invoker;
    private readonly CancellationTokenSource _stop = new();
    private readonly Channel<NodeFrame> _outbound = Channel.CreateBounded<NodeFrame>(new BoundedChannelOptions(MostQueued) { SingleReader = true });
    private Task _loops = Task.CompletedTask;

    private LinkSocket(WebSocket socket, HttpMessageInvoker invoker)
    {
        _socket = socket;
        _invoker = invoker;
    }

    /// <summary>Throws <see cref="UplinkException"/> with one line.</summary>
    public static async Task<LinkSocket> ConnectAsync(ControllerAddress controller, NodeIdentity identity, TimeProvider time, CancellationToken cancellationToken)
    {
        ControllerTrust trust = new(identity.Roots(), time);
        X509Certificate2 own = identity.Certificate();
        HttpMessageInvoker invoker = new(new SocketsHttpHandler
        {
            SslOptions = new SslClientAuthenticationOptions { RemoteCertificateValidationCallback = trust.Validate, ClientCertificates = [own] },
            ConnectTimeout = _patience,
        });
        ClientWebSocket socket = new();
        socket.Options.AddSubProtocol(Subprotocol);
        socket.Options.CollectHttpResponseDetails = true;
        socket.Options.KeepAliveInterval = TimeSpan.Zero; // heartbeats are ours, with a clock sample in them
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(_patience);
        try
        {
            await socket.ConnectAsync(controller.Link, invoker, patience.Token);
            return new LinkSocket(socket, invoker);
        }
        catch (Exception failure) when (failure is WebSocketException or HttpRequestException or IOException || (failure is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            string why = trust.Refusal ?? (int)socket.HttpStatusCode switch
            {
                401 or 403 => "it refuses this node's certificate: revoked, ended, or from before its database",
                > 0 and var status => $"HTTP {status}",
                _ => failure is OperationCanceledException ? "no answer in time" : Innermost(failure).ReplaceLineEndings(" "),
            };
            socket.Dispose();
            invoker.Dispose();
            own.Dispose();
            throw new UplinkException($"cannot connect to {controller}: {why}", cause: failure);
        }
    }

    /// <summary>From now on both are called, from the loops: <paramref name="ended"/> once, with one line.</summary>
    public void Start(Action<ControllerFrame> received, Action<string> ended) => _loops = RunAsync(received, ended);

    /// <summary>False when the writer is far behind: the connection is as good as gone.</summary>
    public bool TrySend(NodeFrame frame) => _outbound.Writer.TryWrite(frame);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _loops.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _socket.Dispose();
        _invoker.Dispose();
        _stop.Dispose();
    }

    private static string Innermost(Exception failure) => failure.InnerException is { } inner ? Innermost(inner) : failure.Message;

    private async Task RunAsync(Action<ControllerFrame> received, Action<string> ended)
    {
        Task<string> reading = GuardedAsync(() => ReadAsync(received));
        Task<string> writing = GuardedAsync(WriteAsync);
        Task<string> first = await Task.WhenAny(reading, writing);
        await _stop.CancelAsync();
        await Task.WhenAll(reading, writing);
        ended(await first);
    }

    /// <summary>The outer edge of a loop: whatever ends it becomes the line that is told.</summary>
    private static async Task<string> GuardedAsync(Func<Task<string>> loop)
    {
        try
        {
            return await loop();
        }
        catch (OperationCanceledException)
        {
            return "closed here";
        }
        catch (InvalidProtocolBufferException malformed)
        {
            return $"the controller sent a malformed frame: {malformed.Message}";
        }
        catch (Exception failure) when (failure is WebSocketException or IOException or ObjectDisposedException)
        {
            return Innermost(failure).ReplaceLineEndings(" ");
        }
    }

    private async Task<string> ReadAsync(Action<ControllerFrame> received)
    {
        ArrayBufferWriter<byte> frame = new(64 << 10);
        while (true)
        {
            ValueWebSocketReceiveResult part = await _socket.ReceiveAsync(frame.GetMemory(16 << 10), _stop.Token);
            if (part.MessageType == WebSocketMessageType.Close)
            {
                return _socket.CloseStatusDescription is { Length: > 0 } why ? $"the controller closed: {why}" : "the controller closed the connection";
            }
            frame.Advance(part.Count);
            if (frame.WrittenCount > MostFrameBytes)
            {
                return $"the controller sent a frame of more than {MostFrameBytes} bytes";
            }
            if (part.EndOfMessage)
            {
                received(ControllerFrame.Parser.ParseFrom(frame.WrittenSpan));
                frame.ResetWrittenCount();
            }
        }
    }

    private async Task<string> WriteAsync()
    {
        await foreach (NodeFrame frame in _outbound.Reader.ReadAllAsync(_stop.Token))
        {
            int size = frame.CalculateSize();
            byte[] bytes = ArrayPool<byte>.Shared.Rent(size);
            try
            {
                frame.WriteTo(bytes.AsSpan(0, size));
                await _socket.SendAsync(bytes.AsMemory(0, size), WebSocketMessageType.Binary, endOfMessage: true, _stop.Token);
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(bytes);
            }
        }
        return "closed here";
    }
}
