using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace NftCluster.Lab;

/// <summary>Echo requests, each sent when the one before was answered or is a second old.</summary>
internal static class PingTraffic
{
    private const int HeaderBytes = 8;

    public static TrafficResult Send(TrafficPath path, TrafficRequest request) => NetworkNamespace.Run(path.FromNamespace, () =>
    {
        using var socket = new Socket(path.Destination.AddressFamily, SocketType.Raw, path.IsIpv6 ? ProtocolType.IcmpV6 : ProtocolType.Icmp);
        socket.Connect(new IPEndPoint(path.Destination, 0));
        byte[] message = new byte[HeaderBytes + request.Size];
        byte[] answer = new byte[ushort.MaxValue];
        ushort id = (ushort)Random.Shared.Next(1, ushort.MaxValue);
        int sent = 0;
        int received = 0;
        var pace = new Pace(request.Rate, request.Limit);
        while (sent < request.Count && pace.Wait(sent))
        {
            Write(message, id, sent, path.IsIpv6);
            socket.Send(message);
            received += Answered(socket, answer, message, path.IsIpv6, pace) ? 1 : 0;
            sent++;
        }

        return path.Result(sent, received, pace.Elapsed);
    });

    // ┌──────┬──────┬──────────┬────┬──────────┬──────────────────┐
    // │ type │ code │ checksum │ id │ sequence │ number, then 0 … │
    // └──────┴──────┴──────────┴────┴──────────┴──────────────────┘
    private static void Write(Span<byte> message, ushort id, int number, bool ipv6)
    {
        message[0] = (byte)(ipv6 ? 128 : 8);
        BinaryPrimitives.WriteUInt16BigEndian(message[2..], 0);
        BinaryPrimitives.WriteUInt16BigEndian(message[4..], id);
        BinaryPrimitives.WriteUInt16BigEndian(message[6..], (ushort)number);
        BinaryPrimitives.WriteInt32BigEndian(message[HeaderBytes..], number);

        // The kernel fills in the checksum of ICMPv6 only.
        if (!ipv6)
        {
            BinaryPrimitives.WriteUInt16BigEndian(message[2..], Checksum(message));
        }
    }

    private static bool Answered(Socket socket, byte[] answer, ReadOnlySpan<byte> request, bool ipv6, Pace pace)
    {
        var patience = new Pace(0, TimeSpan.FromMilliseconds(pace.AnswerMilliseconds()));
        while (patience.Left > TimeSpan.Zero)
        {
            socket.ReceiveTimeout = patience.AnswerMilliseconds();
            int length = socket.Receive(answer, SocketFlags.None, out SocketError error);
            if (error is SocketError.TimedOut or SocketError.WouldBlock)
            {
                return false;
            }

            // A raw IPv4 socket delivers the IP header, too; an IPv6 one does not.
            int start = ipv6 || length == 0 ? 0 : (answer[0] & 0x0f) * 4;
            ReadOnlySpan<byte> icmp = answer.AsSpan(0, length)[Math.Min(start, length)..];
            if (error == SocketError.Success && icmp.Length == request.Length && icmp[0] == (ipv6 ? 129 : 0) && icmp[4..].SequenceEqual(request[4..]))
            {
                return true;
            }
        }

        return false;
    }

    private static ushort Checksum(ReadOnlySpan<byte> bytes)
    {
        uint sum = 0;
        for (int i = 0; i + 1 < bytes.Length; i += 2)
        {
            sum += BinaryPrimitives.ReadUInt16BigEndian(bytes[i..]);
        }

        if (bytes.Length % 2 == 1)
        {
            sum += (uint)bytes[^1] << 8;
        }

        sum = (sum & 0xffff) + (sum >> 16);
        return (ushort)~((sum & 0xffff) + (sum >> 16));
    }
}
