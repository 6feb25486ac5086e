using System.Net.WebSockets;
using System.Threading.Channels;
using Google.Protobuf;
using NftCluster.Messages.Link;

namespace NftCluster.Controller.Cluster;

/// <summary>The sending half of a link: anybody hands over frames, one loop writes them. A node that does not read loses its connection, not our memory.</summary>
internal sealed class NodeWire(WebSocket socket)
{
    private const int Waiting = 1024;

    private readonly Channel<ControllerFrame> _frames = Channel.CreateBounded<ControllerFrame>(new BoundedChannelOptions(Waiting) { SingleReader = true });

    /// <summary>False: the node is too slow, or the link ends already. Then nothing more is sent.</summary>
    public bool Send(ControllerFrame frame)
    {
        if (_frames.Writer.TryWrite(frame))
        {
            return true;
        }
        _frames.Writer.TryComplete();
        return false;
    }

    /// <summary>What has been handed over is written still; then the connection closes.</summary>
    public void End(Refusal? refusal)
    {
        if (refusal is not null)
        {
            Send(new ControllerFrame { Refusal = refusal });
        }
        _frames.Writer.TryComplete();
    }

    public async Task RunAsync(CancellationToken cancellation)
    {
        await foreach (ControllerFrame frame in _frames.Reader.ReadAllAsync(cancellation))
        {
            await socket.SendAsync(frame.ToByteArray(), WebSocketMessageType.Binary, endOfMessage: true, cancellation);
        }
        await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, cancellation);
    }
}
