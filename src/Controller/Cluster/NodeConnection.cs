using System.Net.WebSockets;
using Microsoft.Extensions.Logging;
using NftCluster.Actors;
using NftCluster.Controller.Sessions;
using NftCluster.Controller.Storage;
using NftCluster.Messages.Link;

namespace NftCluster.Controller.Cluster;

/// <summary>Whom the TLS handshake has shown.</summary>
internal sealed record NodeIdentity(string NodeId, DateTimeOffset CertificateEnds, bool IsOutgoing, string RemoteAddress);

/// <summary>One accepted WebSocket of a node: Hello, then three loops (read, commit, write) that end together.</summary>
internal sealed class NodeConnection(WebSocket socket, NodeIdentity identity, ActorRef<ClusterMessage> cluster, ActorRef<StorageMessage> storage, IngestBudget budget, LinkOptions options, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan _farewell = TimeSpan.FromSeconds(2);

    private readonly NodeWire _wire = new(socket);
    private readonly FrameReader _reader = new(socket);

    public async Task RunAsync(CancellationToken cancellation)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        ActorRef<NodeLinkMessage>? link = null;
        Task writing = _wire.RunAsync(end.Token);
        Task reading = Task.CompletedTask;
        try
        {
            // 1. Who speaks: nothing else is listened to before.
            if (await ReadHelloAsync(end.Token) is not { } hello)
            {
                return;
            }
            // 2. What is committed, so that the node need not send it again; 3. admission, which sends the Welcome.
            NodeCommitted committed = await storage.AskAsync<NodeCommitted>(reply => new GetCommitted(identity.NodeId, reply), _patience, end.Token);
            NodeAdmitted admitted = await cluster.AskAsync<NodeAdmitted>(reply => new ConnectNode(identity, hello, committed, _wire, reply), _patience, end.Token);
            if (admitted.Link is not { } admittedLink)
            {
                _wire.End(admitted.Refusal);
                return;
            }
            link = admittedLink;
            // 4. Until one of the three ends.
            IngestLane lane = new(identity.NodeId, storage, link, budget, options, time);
            reading = ReadAsync(link, lane, end.Token);
            // An error of the lane or the writer ends the connection like one of the reader.
            await await Task.WhenAny(reading, lane.RunAsync(end.Token), writing);
        }
        catch (InvalidDataException malformed)
        {
            Refuse(malformed.Message);
        }
        catch (Exception failure) when (failure is WebSocketException or TimeoutException or InvalidOperationException or OperationCanceledException)
        {
            // Gone, or the controller is stopping or too busy: the node comes again.
            ClusterLog.LinkEnded(logger, identity.NodeId, identity.RemoteAddress, failure.Message);
        }
        finally
        {
            _wire.End(null);
            link?.Tell(new LinkBroken());
            await writing.WaitAsync(_farewell, time, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await HearOutAsync(reading, end.Token);
            await end.CancelAsync();
            await Task.WhenAll(reading, writing).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            socket.Abort();
        }
    }

    /// <summary>Until the node closes, too, but not for long: a socket that is closed with unread data takes back what was sent last, and that is the refusal.</summary>
    private async Task HearOutAsync(Task reading, CancellationToken cancellation)
    {
        await reading.WaitAsync(_farewell, time, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        await using ITimer timer = time.CreateTimer(static source => ((CancellationTokenSource)source!).Cancel(), patience, _farewell, Timeout.InfiniteTimeSpan);
        byte[] unread = new byte[16 << 10];
        try
        {
            while (reading.IsCompleted && socket.State is (WebSocketState.Open or WebSocketState.CloseSent)
                && (await socket.ReceiveAsync(unread.AsMemory(), patience.Token)).MessageType != WebSocketMessageType.Close)
            {
                // Of no interest any more.
            }
        }
        catch (Exception gone) when (gone is WebSocketException or OperationCanceledException or InvalidOperationException)
        {
            // It has gone without a word, or does not end: so do we.
        }
    }

    private async Task<Hello?> ReadHelloAsync(CancellationToken cancellation)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        await using ITimer timer = time.CreateTimer(static source => ((CancellationTokenSource)source!).Cancel(), patience, options.HelloPatience, Timeout.InfiniteTimeSpan);
        NodeFrame? first = await _reader.ReadAsync(patience.Token);
        return first is null ? null : first.Hello ?? throw new InvalidDataException("the first frame is a Hello");
    }

    private async Task ReadAsync(ActorRef<NodeLinkMessage> link, IngestLane lane, CancellationToken cancellation)
    {
        while (await _reader.ReadAsync(cancellation) is { } frame)
        {
            switch (frame.FrameCase)
            {
                case NodeFrame.FrameOneofCase.Data:
                    await lane.AddAsync(frame.Data, cancellation);
                    break;
                case NodeFrame.FrameOneofCase.Hello:
                    throw new InvalidDataException("a second Hello");
                case NodeFrame.FrameOneofCase.None:
                    break; // of a newer version: one of skew works both ways
                default:
                    await link.TellAsync(new FrameReceived(frame, UnixNs(time.GetUtcNow())), cancellation);
                    break;
            }
        }
    }

    private void Refuse(string text)
    {
        ClusterLog.FrameRefused(logger, identity.NodeId, identity.RemoteAddress, text);
        _wire.End(new Refusal { Reason = Refusal.Types.Reason.Malformed, Text = text, RetryAfterMs = 10_000 });
    }

    public static long UnixNs(DateTimeOffset at) => (at - DateTimeOffset.UnixEpoch).Ticks * TimeSpan.NanosecondsPerTick;
}
