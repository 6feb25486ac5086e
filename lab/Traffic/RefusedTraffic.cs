using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace NftCluster.Lab;

/// <summary>UDP packets that somebody must refuse (closed port, no route), each waiting for its ICMP error.</summary>
internal static class RefusedTraffic
{
    private const int IpProtoIp = 0;
    private const int IpRecvErr = 11;
    private const int IpProtoIpv6 = 41;
    private const int Ipv6RecvErr = 25;

    public static TrafficResult Send(TrafficPath path, TrafficRequest request) => NetworkNamespace.Run(path.FromNamespace, () =>
    {
        using Socket socket = path.UdpSocket();

        // Without it the kernel tells a UDP socket of closed ports only, not of missing routes.
        socket.SetRawSocketOption(path.IsIpv6 ? IpProtoIpv6 : IpProtoIp, path.IsIpv6 ? Ipv6RecvErr : IpRecvErr, BitConverter.GetBytes(1));
        socket.Bind(new IPEndPoint(path.Source, request.SourcePort));
        socket.Connect(new IPEndPoint(path.Destination, path.Port));
        byte[] payload = new byte[request.Size];
        byte[] answer = new byte[16];
        int sent = 0;
        int refused = 0;
        var pace = new Pace(request.Rate, request.Limit);
        while (sent < request.Count && pace.Wait(sent))
        {
            BinaryPrimitives.WriteUInt32BigEndian(payload, (uint)sent);
            socket.Send(payload);
            sent++;
            socket.ReceiveTimeout = pace.AnswerMilliseconds();
            socket.Receive(answer, SocketFlags.None, out SocketError error);
            refused += error is SocketError.ConnectionRefused or SocketError.NetworkUnreachable or SocketError.HostUnreachable or SocketError.ConnectionReset ? 1 : 0;
        }

        return path.Result(sent, refused, pace.Elapsed);
    });
}
