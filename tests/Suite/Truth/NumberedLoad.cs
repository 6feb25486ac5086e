using System.Net;
using System.Net.Sockets;
using NftCluster.Lab;

namespace NftCluster.Tests.Truth;

/// <summary>Numbered datagrams at a steady rate until it is told to stop: packet n goes from port <see cref="FirstSource"/> + n / Ports to port <see cref="FirstPort"/> + n % Ports.</summary>
internal sealed class NumberedLoad : IDisposable
{
    public const int FirstSource = 61_000;
    public const int FirstPort = 20_000;
    public const int Ports = 40_000;
    private const int MostSources = 400;

    /// <summary>All of it, as pcap-filter(7).</summary>
    public static readonly string Filter = FormattableString.Invariant($"udp and src portrange {FirstSource}-{FirstSource + MostSources - 1}");

    private readonly LabNetwork _lab;
    private readonly int _perSecond;
    private readonly IPAddress _to;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task<int> _sending;

    private NumberedLoad(LabNetwork lab, int perSecond, IPAddress to)
    {
        (_lab, _perSecond, _to) = (lab, perSecond, to);
        _sending = Task.Factory.StartNew(Send, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    /// <summary>From the client, to the server unless another address is given.</summary>
    public static NumberedLoad Start(LabNetwork lab, int perSecond, IPAddress? to = null) => new(lab, perSecond, to ?? lab.AddressOf("server", AddressFamily.InterNetwork));

    public static int NumberOf(int sourcePort, int port) => ((sourcePort - FirstSource) * Ports) + port - FirstPort;

    /// <summary>How many were sent.</summary>
    public Task<int> StopAsync()
    {
        _stop.Cancel();
        return _sending;
    }

    public void Dispose()
    {
        _stop.Cancel();
        _stop.Dispose();
    }

    private int Send()
    {
        CancellationToken stop = _stop.Token;
        var begin = System.Diagnostics.Stopwatch.StartNew();
        byte[] payload = new byte[20];
        int sent = 0;
        Socket? socket = null;
        try
        {
            while (!stop.IsCancellationRequested)
            {
                long due = Math.Min((long)(begin.Elapsed.TotalSeconds * _perSecond), (long)MostSources * Ports);
                for (; sent < due; sent++)
                {
                    if (sent % Ports == 0)
                    {
                        socket?.Dispose();
                        socket = NetworkNamespace.Run(_lab.NamespaceOf("client"), () => new Socket(_to.AddressFamily, SocketType.Dgram, ProtocolType.Udp));
                        socket.Bind(new IPEndPoint(_to.AddressFamily == AddressFamily.InterNetworkV6 ? IPAddress.IPv6Any : IPAddress.Any, FirstSource + (sent / Ports)));
                    }
                    socket!.SendTo(payload, new IPEndPoint(_to, FirstPort + (sent % Ports)));
                }
                stop.WaitHandle.WaitOne(1); // the pace of the load, nothing is waited for
            }
        }
        finally
        {
            socket?.Dispose();
        }
        return sent;
    }
}
