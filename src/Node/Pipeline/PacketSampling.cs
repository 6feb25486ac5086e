namespace NftCluster.Node.Pipeline;

/// <summary>
/// Consistent sampling: a packet is kept when a hash of what neither routing nor NAT changes lies below a threshold. So every node
/// keeps the same packets, and what a lower threshold keeps a higher one keeps, too. Set by one actor, asked by another.
/// </summary>
internal sealed class PacketSampling
{
    private ulong _threshold;
    private long _sampledOut;
    private long _keptEvents;

    /// <summary>0 = every packet.</summary>
    public ulong Threshold
    {
        get => Volatile.Read(ref _threshold);
        set => Volatile.Write(ref _threshold, value);
    }

    /// <summary>Traces that were left out.</summary>
    public long SampledOut => Volatile.Read(ref _sampledOut);

    /// <summary>Events of the traces that were kept: what a budget of events per second is about.</summary>
    public long KeptEvents => Volatile.Read(ref _keptEvents);

    /// <summary>Called by the one owner of the session's traces.</summary>
    public bool Keeps(PacketTrace trace)
    {
        ulong threshold = Threshold;
        if (threshold != 0 && (trace.HasIn || trace.HasOut) && HashOf(trace.HasIn ? trace.In : trace.Out) >= threshold)
        {
            Volatile.Write(ref _sampledOut, _sampledOut + 1);
            return false;
        }
        Volatile.Write(ref _keptEvents, _keptEvents + trace.EventCount + trace.NftVerdictCount);
        return true;
    }

    /// <summary>
    /// Of protocol, IP id, TCP's sequence numbers and flags, an echo's sequence number, and the payload's length where the packet is
    /// not several in one. What GRO or TSO put together differently on another host is another packet there: such flows are kept in part.
    /// </summary>
    public static ulong HashOf(in PacketHeader header)
    {
        ulong hash = Mix(((ulong)header.EtherType << 32) | ((ulong)header.Protocol << 16) | (header.Has(HeaderParts.IPv6) ? 0UL : header.IpId));
        if (header.Has(HeaderParts.Tcp))
        {
            hash = Mix(hash ^ (((ulong)header.TcpSeq << 32) | header.TcpAck));
            hash = Mix(hash ^ header.TcpFlags);
        }
        if (header.Has(HeaderParts.Icmp))
        {
            hash = Mix(hash ^ (((ulong)header.SourcePort << 16) | header.IcmpSequence));
        }
        return header.Segments > 1 ? hash : Mix(hash ^ header.PayloadLength);
    }

    /// <summary>The finalizer of SplitMix64: every bit of the answer depends on every bit of the question.</summary>
    private static ulong Mix(ulong x)
    {
        x += 0x9e3779b97f4a7c15;
        x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
        x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
        return x ^ (x >> 31);
    }
}
