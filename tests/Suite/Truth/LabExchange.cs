using System.Net;
using System.Net.Sockets;
using NftCluster.Lab;

namespace NftCluster.Tests.Truth;

/// <summary>Traffic that the lab does not know: through NAT, with a small TTL, in bulk. Sockets belong to the namespace they were made in.</summary>
internal sealed class LabExchange(LabNetwork lab, bool ipv6 = false)
{
    private const int PatienceMs = 30_000;

    private readonly AddressFamily _family = ipv6 ? AddressFamily.InterNetworkV6 : AddressFamily.InterNetwork;

    public IPAddress AddressOf(string host) => lab.AddressOf(host, _family);

    /// <summary>Datagram i goes to port + i, so that no two are alike; nobody needs to listen.</summary>
    public void Send(string from, IPAddress to, int port, int count, short ttl = 64)
    {
        using Socket socket = NetworkNamespace.Run(lab.NamespaceOf(from), () => Udp());
        socket.Ttl = ttl;
        for (int i = 0; i < count; i++)
        {
            socket.SendTo(new byte[20], new IPEndPoint(to, port + i));
        }
    }

    /// <summary>Each connection attempt is refused.</summary>
    public void ConnectRefused(string from, IPAddress to, int port, int count)
    {
        for (int i = 0; i < count; i++)
        {
            using Socket socket = NetworkNamespace.Run(lab.NamespaceOf(from), () => Tcp());
            SocketException refused = Assert.Throws<SocketException>(() => socket.Connect(new IPEndPoint(to, port + i)));
            Assert.Equal(SocketError.ConnectionRefused, refused.SocketErrorCode);
        }
    }

    /// <summary>Datagrams to an address that NAT leads to the server, each answered.</summary>
    public void Echo(string from, string server, IPAddress to, int port, int count)
    {
        using Socket answering = NetworkNamespace.Run(lab.NamespaceOf(server), () => Udp());
        answering.Bind(new IPEndPoint(AddressOf(server), port));
        using Socket asking = NetworkNamespace.Run(lab.NamespaceOf(from), () => Udp());
        asking.Connect(new IPEndPoint(to, port));
        byte[] buffer = new byte[64];
        for (int i = 0; i < count; i++)
        {
            asking.Send(BitConverter.GetBytes(i));
            EndPoint peer = new IPEndPoint(ipv6 ? IPAddress.IPv6Any : IPAddress.Any, 0);
            int length = answering.ReceiveFrom(buffer, ref peer);
            answering.SendTo(buffer.AsSpan(0, length), SocketFlags.None, peer);
            Assert.Equal(length, asking.Receive(buffer));
        }
    }

    /// <summary>One connection that carries so many bytes one way; large sends, so that segments are aggregates (TSO).</summary>
    public void Transfer(string from, string server, IPAddress to, int port, int bytes, bool download)
    {
        using Socket listener = NetworkNamespace.Run(lab.NamespaceOf(server), () => Tcp());
        listener.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, optionValue: true);
        listener.Bind(new IPEndPoint(AddressOf(server), port));
        listener.Listen(1);
        using Socket client = NetworkNamespace.Run(lab.NamespaceOf(from), () => Tcp());
        client.Connect(new IPEndPoint(to, port));
        using Socket accepted = listener.Accept();
        accepted.ReceiveTimeout = accepted.SendTimeout = PatienceMs;
        (Socket sender, Socket receiver) = download ? (accepted, client) : (client, accepted);
        var sending = new Thread(() =>
        {
            sender.Send(new byte[bytes]);
            sender.Shutdown(SocketShutdown.Send);
        });
        sending.Start();
        byte[] buffer = new byte[256 * 1024];
        int received = 0;
        int length;
        while ((length = receiver.Receive(buffer)) > 0)
        {
            received += length;
        }
        sending.Join();
        receiver.Shutdown(SocketShutdown.Send);
        Assert.Equal(0, sender.Receive(buffer));
        Assert.Equal(bytes, received);
    }

    /// <summary>A few pings over some time: what was under way (a last ACK) has arrived when they are answered.</summary>
    public void Settle(string from, string to)
    {
        TrafficResult pings = Traffic.Ping(lab, new TrafficRequest { From = from, To = to, Count = 5, Rate = 20, Ipv6 = ipv6 });
        Assert.Equal(pings.Sent, pings.Received);
    }

    private Socket Udp() => new(_family, SocketType.Dgram, ProtocolType.Udp) { ReceiveTimeout = PatienceMs };

    private Socket Tcp() => new(_family, SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = PatienceMs, SendTimeout = PatienceMs };
}
