using System.Buffers;
using System.Net.WebSockets;
using Google.Protobuf;
using NftCluster.Messages.Link;

namespace NftCluster.Controller.Cluster;

/// <summary>The receiving half of a link: one binary message is one frame, and never more than the bound is held.</summary>
internal sealed class FrameReader(WebSocket socket)
{
    private const int Piece = 16 << 10;

    /// <summary>A buffer larger than this goes back after the frame that needed it.</summary>
    private const int Kept = 1 << 20;

    private ArrayBufferWriter<byte> _buffer = new(Piece);

    /// <summary>Null: the node closed. Throws <see cref="InvalidDataException"/> for whatever is not a frame.</summary>
    public async Task<NodeFrame?> ReadAsync(CancellationToken cancellation)
    {
        _buffer.ResetWrittenCount();
        ValueWebSocketReceiveResult piece;
        do
        {
            piece = await socket.ReceiveAsync(_buffer.GetMemory(Piece), cancellation);
            if (piece.MessageType == WebSocketMessageType.Close)
            {
                return null;
            }
            if (piece.MessageType != WebSocketMessageType.Binary)
            {
                throw new InvalidDataException("a frame is a binary message");
            }
            _buffer.Advance(piece.Count);
            if (_buffer.WrittenCount > LinkOptions.MostFrameBytes)
            {
                throw new InvalidDataException($"a frame of more than {LinkOptions.MostFrameBytes} bytes");
            }
        }
        while (!piece.EndOfMessage);
        NodeFrame frame = Parse(_buffer.WrittenSpan);
        if (_buffer.Capacity > Kept)
        {
            _buffer = new ArrayBufferWriter<byte>(Piece);
        }
        return frame;
    }

    private static NodeFrame Parse(ReadOnlySpan<byte> bytes)
    {
        try
        {
            return NodeFrame.Parser.ParseFrom(bytes);
        }
        catch (InvalidProtocolBufferException malformed)
        {
            throw new InvalidDataException($"a malformed frame: {malformed.Message}", malformed);
        }
    }
}
