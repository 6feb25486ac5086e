using NftCluster.Messages.Link;

namespace NftCluster.Node.Uplink;

/// <summary>Numbers heartbeats, carries the last echo back (so that the controller can bound the clocks' offset), and counts silence.</summary>
internal sealed class Heartbeats
{
    private ulong _number;
    private HeartbeatEcho? _echo;
    private long _echoReceivedNs;

    /// <summary>Heartbeats since the controller was last heard.</summary>
    public int Silent { get; private set; }

    public void Begin()
    {
        _echo = null;
        Silent = 0;
    }

    public void Heard() => Silent = 0;

    public void Echoed(HeartbeatEcho echo, long receivedNs) => (_echo, _echoReceivedNs) = (echo, receivedNs);

    public Heartbeat Next(long nowNs)
    {
        Silent++;
        return new Heartbeat
        {
            Number = ++_number,
            SentNs = nowNs,
            EchoedNumber = _echo?.Number ?? 0,
            EchoSentNs = _echo?.SentNs ?? 0,
            EchoReceivedNs = _echo is null ? 0 : _echoReceivedNs,
        };
    }
}
