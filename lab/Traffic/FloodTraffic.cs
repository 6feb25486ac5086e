using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace NftCluster.Lab;

/// <summary>As many UDP packets as one core can send, with nobody reading at the server: the load of the benchmarks.</summary>
internal static class FloodTraffic
{
    private static readonly TimeSpan _settle = TimeSpan.FromMilliseconds(20);

    public static TrafficResult Send(TrafficPath path, TrafficRequest request)
    {
        // Bound and never read: no "port unreachable", no receiver's cost. The kernel counts what it drops at the full socket.
        using Socket sink = NetworkNamespace.Run(path.ToNamespace, () => Sink(path));
        long before = NetworkNamespace.Run(path.ToNamespace, () => UdpCounters.Arrived(path.IsIpv6));
        (long sent, TimeSpan elapsed) = NetworkNamespace.Run(path.FromNamespace, () => Pour(path, request));
        return path.Result(sent, NetworkNamespace.Run(path.ToNamespace, () => Settled(sink, path)) - before, elapsed);
    }

    private static Socket Sink(TrafficPath path)
    {
        Socket socket = path.UdpSocket();
        socket.ReceiveBufferSize = 1;
        socket.Blocking = false;
        socket.Bind(new IPEndPoint(path.Destination, path.Port));
        return socket;
    }

    private static (long Sent, TimeSpan Elapsed) Pour(TrafficPath path, TrafficRequest request)
    {
        using Socket socket = path.UdpSocket();
        socket.Bind(new IPEndPoint(path.Source, request.SourcePort));
        socket.Connect(new IPEndPoint(path.Destination, path.Port));
        using var batch = new DatagramBatch(request.Size);
        int descriptor = (int)socket.SafeHandle.DangerousGetHandle();
        long sent = 0;
        var pace = new Pace(request.Rate, request.Limit);
        while (pace.Wait(sent))
        {
            batch.Number((uint)sent);
            int accepted = LabNative.SendMany(descriptor, batch.Messages, DatagramBatch.Length, 0);
            if (accepted < 0 && Marshal.GetLastPInvokeError() is not (LabNative.NoBuffers or LabNative.Interrupted or LabNative.Again or LabNative.Refused))
            {
                throw new LabException($"flood from {path.From} to {path.Destination}: {LabNative.LastError()}.");
            }

            sent += Math.Max(accepted, 0);
        }

        return (sent, pace.Elapsed);
    }

    // What the socket still holds counts as arrived only when read.
    private static long Settled(Socket sink, TrafficPath path)
    {
        byte[] buffer = new byte[Traffic.MaxSize];
        long last = -1;
        long now = UdpCounters.Arrived(path.IsIpv6);
        while (now != last)
        {
            last = now;
            Thread.Sleep(_settle);
            SocketError error;
            do
            {
                sink.Receive(buffer, SocketFlags.None, out error);
            }
            while (error == SocketError.Success);

            now = UdpCounters.Arrived(path.IsIpv6);
        }

        return now;
    }
}
