using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace NftCluster.Lab;

/// <summary>Connections one after another: connect, send, get the same back, close from both sides.</summary>
internal static class TcpTraffic
{
    private const int IpProtoTcp = 6;
    private const int TcpSynCount = 7;
    private const int PatienceMs = 3000;

    public static TrafficResult Send(TrafficPath path, TrafficRequest request)
    {
        using var server = new TcpEcho(NetworkNamespace.Run(path.ToNamespace, () => Listener(path)), PatienceMs);
        return NetworkNamespace.Run(path.FromNamespace, () =>
        {
            byte[] payload = new byte[request.Size];
            byte[] echo = new byte[request.Size];
            int sent = 0;
            int received = 0;
            var pace = new Pace(request.Rate, request.Limit);
            while (sent < request.Count && pace.Wait(sent))
            {
                BinaryPrimitives.WriteUInt32BigEndian(payload, (uint)sent);
                received += Exchange(path, payload, echo) ? 1 : 0;
                sent++;
            }

            return path.Result(sent, received, pace.Elapsed);
        });
    }

    private static Socket Listener(TrafficPath path)
    {
        var listener = new Socket(path.Destination.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        listener.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, optionValue: true);
        listener.Bind(new IPEndPoint(path.Destination, path.Port));
        listener.Listen(128);
        return listener;
    }

    private static bool Exchange(TrafficPath path, byte[] payload, byte[] echo)
    {
        using var socket = new Socket(path.Destination.AddressFamily, SocketType.Stream, ProtocolType.Tcp)
        {
            NoDelay = true,
            ReceiveTimeout = PatienceMs,
            SendTimeout = PatienceMs,
        };

        // One repetition of the SYN: a server that is not there costs 3 s, not 2 minutes.
        socket.SetRawSocketOption(IpProtoTcp, TcpSynCount, BitConverter.GetBytes(1));
        try
        {
            socket.Connect(new IPEndPoint(path.Destination, path.Port));
            socket.Send(payload);
            socket.Shutdown(SocketShutdown.Send);
            int length = 0;
            for (int got = -1; got != 0; length += got)
            {
                // When the echo is whole the buffer is empty: read into a spare byte to see the server's end of stream.
                got = length < echo.Length ? socket.Receive(echo.AsSpan(length)) : socket.Receive(new byte[1]);
            }

            return length == payload.Length && echo.AsSpan().SequenceEqual(payload);
        }
        catch (SocketException)
        {
            // Refused, reset or timed out: this connection counts as not received.
            return false;
        }
    }
}
