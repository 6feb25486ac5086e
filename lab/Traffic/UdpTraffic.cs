using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace NftCluster.Lab;

/// <summary>Numbered UDP packets to a server that counts what arrives.</summary>
internal static class UdpTraffic
{
    public const int BasePort = 40_000;
    public const int SpreadOver = 1000;

    public static TrafficResult Send(TrafficPath path, TrafficRequest request)
    {
        int ports = request.SpreadPorts ? Math.Min(SpreadOver, request.Count) : 1;
        Socket[] sockets = NetworkNamespace.Run(path.ToNamespace, () => Bound(path, ports));
        using var drain = new UdpDrain(sockets, request.Count);
        return NetworkNamespace.Run(path.FromNamespace, () =>
        {
            using Socket sender = path.UdpSocket();
            sender.Bind(new IPEndPoint(path.Source, request.SourcePort));
            SocketAddress[] destinations = [.. Enumerable.Range(path.Port, ports).Select(port => new IPEndPoint(path.Destination, port).Serialize())];
            byte[] payload = new byte[request.Size];
            int sent = 0;
            var pace = new Pace(request.Rate, request.Limit);
            while (sent < request.Count && pace.Wait(sent))
            {
                BinaryPrimitives.WriteUInt32BigEndian(payload, (uint)sent);
                sender.SendTo(payload, SocketFlags.None, destinations[sent % ports]);
                sent++;
            }

            TimeSpan elapsed = pace.Elapsed;
            drain.Finish(sent);
            return path.Result(sent, drain.Received, elapsed, drain.Duplicates);
        });
    }

    // All ports are bound before the first packet: none of them answers with "port unreachable".
    private static Socket[] Bound(TrafficPath path, int ports)
    {
        var sockets = new List<Socket>(ports);
        try
        {
            for (int i = 0; i < ports; i++)
            {
                Socket socket = path.UdpSocket();
                sockets.Add(socket);
                UdpDrain.EnlargeBuffer(socket, ports == 1 ? 16 << 20 : 1 << 20);
                socket.Blocking = false;
                socket.Bind(new IPEndPoint(path.Destination, path.Port + i));
            }

            return [.. sockets];
        }
        catch (SocketException)
        {
            // A port is taken (another traffic command runs), or no descriptors are left.
            sockets.ForEach(socket => socket.Dispose());
            throw;
        }
    }
}
