namespace NftCluster.Node.Nftables;

/// <summary>Hears the kernel announce generations (NFT_MSG_NEWGEN), and nothing else of what the group sends.</summary>
internal sealed class GenerationListener : IDisposable
{
    private const int AttributeId = 1;
    private const int AttributeProcessId = 2;
    private const int AttributeProcessName = 3;
    private const int ReceiveBuffer = 4 * 1024 * 1024;

    private readonly NetlinkSocket _socket;
    private readonly byte[] _buffer = new byte[64 * 1024];
    private long _drops;

    private GenerationListener(NetlinkSocket socket) => _socket = socket;

    /// <summary>In the network namespace of the calling thread.</summary>
    public static GenerationListener Open()
    {
        var socket = NetlinkSocket.Open();
        try
        {
            // A reload of 10,000 rules sends 10,000 messages: only its announcement takes room.
            socket.AcceptOnly(NftNetlink.SubsystemNftables | NftNetlink.NewGeneration);
            socket.SetReceiveBuffer(ReceiveBuffer);
            socket.Join(NetlinkSocket.GroupNftables);
            return new GenerationListener(socket);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    public bool Wait(TimeSpan most) => _socket.Wait(most);

    /// <summary>The next announcement (or that some were lost), or null when there is none now.</summary>
    public RulesetFact? TryTake()
    {
        while (true)
        {
            int length = _socket.TryReceive(_buffer);
            long now = Monotonic.NowNs;
            if (length == NetlinkSocket.Overrun)
            {
                return Lost(now);
            }
            if (length == NetlinkSocket.Nothing)
            {
                return null;
            }
            ReadOnlySpan<byte> rest = _buffer.AsSpan(0, length);
            if (NetlinkMessage.TryTake(ref rest, out NetlinkMessage message) && message.Type == (NftNetlink.SubsystemNftables | NftNetlink.NewGeneration))
            {
                return Read(message, now);
            }
        }
    }

    public void Dispose() => _socket.Dispose();

    private AnnouncementsLost Lost(long now)
    {
        (long before, _drops) = (_drops, _socket.Drops);
        return new AnnouncementsLost(now, Math.Max(1, _drops - before));
    }

    private static GenerationSeen Read(NetlinkMessage message, long now)
    {
        (uint id, int processId, string? processName) = (0, 0, null);
        NetlinkAttributes at = message.Attributes;
        while (at.MoveNext())
        {
            switch (at.Type)
            {
                case AttributeId: id = at.UInt32; break;
                case AttributeProcessId: processId = (int)at.UInt32; break;
                case AttributeProcessName: processName = at.Text; break;
            }
        }
        return new GenerationSeen(id, now, processId, processName);
    }
}
