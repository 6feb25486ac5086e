using System.Net;
using System.Net.Sockets;
using NftCluster.Lab;

namespace NftCluster.Tests.Truth;

/// <summary>Sends the packets of flows from the line's client.</summary>
internal sealed class NftFlowTraffic(LabNetwork lab, bool ipv6)
{
    public const int ClientPort = 3000;
    public const int LastPort = 9999;
    private const int PatienceMs = 30_000;
    private const int BytesOfConnection = 2000;

    private readonly LabExchange _exchange = new(lab, ipv6);

    /// <summary>Datagrams or refused connections; ten at least have room between the flows' ports.</summary>
    public static int Packets(NftFlow flow) => TruthSettings.IsShort ? 3 : flow.Kind == NftFlowKind.Refused ? 10 : flow.Port is 4020 or 4030 ? 10 : 20;

    public static int Connections => TruthSettings.IsShort ? 3 : 30;

    public void Send(NftFlow flow)
    {
        IPAddress to = _exchange.AddressOf(flow.To);
        switch (flow.Kind)
        {
            case NftFlowKind.Answered:
                Ask(flow, to);
                break;
            case NftFlowKind.Unanswered or NftFlowKind.Rejected:
                for (int i = 0; i < Packets(flow); i++)
                {
                    using Socket socket = Udp("client", ClientPort + i);
                    _ = socket.SendTo(BitConverter.GetBytes(i), new IPEndPoint(to, flow.Port + i));
                }
                break;
            case NftFlowKind.Connections:
                for (int i = 0; i < Connections; i++)
                {
                    _exchange.Transfer("client", "server", to, flow.Port, BytesOfConnection, download: i % 2 == 1);
                }
                break;
            case NftFlowKind.Refused:
                _exchange.ConnectRefused("client", to, flow.Port, Packets(flow));
                break;
        }
    }

    /// <summary>What was under way has arrived; then the packet after which nothing counts.</summary>
    public void End()
    {
        _exchange.Settle("client", "server");
        using Socket silent = Udp("server", LastPort); // no ICMP error comes back
        _exchange.Send("client", _exchange.AddressOf("server"), LastPort, 1);
    }

    private void Ask(NftFlow flow, IPAddress to)
    {
        byte[] buffer = new byte[64];
        for (int i = 0; i < Packets(flow); i++)
        {
            int port = flow.Port + i;
            using Socket answering = flow.RouterPort is { } own ? Udp("r1", own) : Udp("server", port);
            using Socket asking = Udp("client", ClientPort + i); // a port of its own: NAT need not choose another
            asking.Connect(new IPEndPoint(to, port));
            asking.Send(BitConverter.GetBytes(i));
            EndPoint peer = new IPEndPoint(Any, 0);
            int length = answering.ReceiveFrom(buffer, ref peer);
            answering.SendTo(buffer.AsSpan(0, length), SocketFlags.None, peer);
            Assert.Equal(length, asking.Receive(buffer));
        }
    }

    private IPAddress Any => ipv6 ? IPAddress.IPv6Any : IPAddress.Any;

    private Socket Udp(string host, int port) => NetworkNamespace.Run(lab.NamespaceOf(host), () =>
    {
        Socket socket = new(ipv6 ? AddressFamily.InterNetworkV6 : AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { ReceiveTimeout = PatienceMs };
        socket.Bind(new IPEndPoint(Any, port));
        return socket;
    });
}
