using NftCluster.Node.Kernel.Native;
using NftCluster.Node.Kernel.Probes;

namespace NftCluster.Node.Pipeline;

/// <summary>
/// Whether an event on a known address still belongs to the visit, or is the next packet on a re-used one. The kernel
/// re-uses an skb's address at once and shows the end of few packets (design §4), so the packet's own course decides.
/// </summary>
internal static class VisitRules
{
    /// <summary>The loopback device is number 1 in every namespace: there a packet comes in after it left.</summary>
    private const uint LoopbackIfindex = 1;

    /// <summary>Encapsulation: the outer header replaces the inner one although the packet is the same.</summary>
    private static bool IsTunnel(in PacketHeader header) => header.Protocol is 4 or 41 or 47 or 50 or 115
        || (header.Protocol == 17 && header.DestinationPort is 4789 or 8472 or 6081 or 51820);

    /// <summary>
    /// Whether a packet may be what was taken out of that one: by the bytes that were around it. Seen: an ARP reply in a VXLAN packet, and on its address the next packet, on a real device.
    /// Several that were put together (GRO) tell nothing.
    /// </summary>
    private static bool MayBeInside(in PacketHeader inner, in PacketHeader outer)
    {
        // An IPv6 header around is 20 bytes longer, with the tunnel's encapsulation limit 8 more (RFC 2473).
        long around = (long)outer.Length - inner.Length - (outer.Has(HeaderParts.IPv6) ? 20 : 0);
        return inner.Segments > 1 || outer.Segments > 1 || outer.Protocol switch
        {
            // VXLAN: IPv4 20, UDP 8, VXLAN 8, Ethernet 14 with or without a tag.
            17 when outer.DestinationPort is 4789 or 8472 => around is 50 or 54,
            // GENEVE: the same with options of up to 252 bytes.
            17 when outer.DestinationPort is 6081 => around is >= 50 and <= 50 + 4 + 252,
            // WireGuard: IPv4 20, UDP 8, its header 16, its tag 16, and up to 15 bytes that fill it up.
            17 => around is >= 60 and <= 75,
            4 or 41 => around is 20 or 28,
            // GRE: 4, and 4 for each of checksum, key and number; with Ethernet inside 14 more.
            47 => around is 24 or 28 or 32 or 36 or 38 or 42 or 46 or 50,
            // ESP and L2TP say it of themselves alone.
            _ => around is >= 22 and <= 120,
        };
    }

    /// <summary>Roles at which a visit may be born when the address is unknown.</summary>
    public static bool CanBegin(ProbeRole role, bool hasHeader) => role switch
    {
        ProbeRole.Consume or ProbeRole.Follow or ProbeRole.Flow or ProbeRole.Count or ProbeRole.Return => false,
        ProbeRole.Xmit => hasHeader, // without one its queue was seen: a clone of a packet that is closed
        _ => true,
    };

    public static bool BeginsNewVisit(PacketTrace known, in PacketEvent e, ProbeRole role, bool hasHeader, in PacketHeader header)
    {
        if (known.Stage == TraceStage.Ended)
        {
            return CanBegin(role, hasHeader);
        }
        switch (role)
        {
            case ProbeRole.Receive when known.HasLeft:
                return e.Ifindex != LoopbackIfindex || PassedBefore(known, e) || Differs(known, role, hasHeader, header);
            case ProbeRole.LocalOut when known.Stage is not (TraceStage.None or TraceStage.Sent):
                // What came in or went out does not leave a socket, but a tunnel or IPsec sends its outer packet this way.
                return !(hasHeader && IsTunnel(header)) || PassedBefore(known, e) || IsAroundAnother(known, header);
            case ProbeRole.Queue or ProbeRole.Xmit when known.HasLeft:
                return PassedBefore(known, e) || DiffersFromLeft(known, hasHeader, header);
            case ProbeRole.Receive when !known.HasIn:
                // Steps of something else on this address: nothing of a packet is seen before it comes in.
                return true;
            case ProbeRole.Receive or ProbeRole.Queue or ProbeRole.LocalOut:
                return PassedBefore(known, e) || Differs(known, role, hasHeader, header);
            case ProbeRole.Verdict:
                // The kernel half sends a header with a packet that it does not know: on the address of one that left, it is the next.
                return hasHeader && (known.HasLeft || Differs(known, role, hasHeader, header));
            case ProbeRole.Xmit:
                // With a header where nothing shows the queue: then this is the door at which it leaves.
                return PassedBefore(known, e) || (known.Stage == TraceStage.Received && Differs(known, role, hasHeader, header));
            default:
                return false;
        }
    }

    /// <summary>
    /// Whether an unknown address that shares the packet's buffer is its clone, or the next packet in a buffer used again:
    /// clones part ways, so none comes to a door where the packet was. Once it has left, only what goes out with the very
    /// same header still is its clone (a bridge that floods port by port). And no clone of what came in leaves a socket: that is the
    /// answer, in the buffer that the question's reader gave back (seen: IPv6, where no id tells them apart).
    /// </summary>
    public static bool IsClone(PacketTrace original, in PacketEvent e, ProbeRole role, in PacketHeader header)
    {
        if (original.Stage == TraceStage.Ended || !original.HasIn || WasHere(original, e) || (role == ProbeRole.LocalOut && original.Stage == TraceStage.Received))
        {
            return false;
        }
        ref readonly PacketHeader last = ref original.HasOut ? ref original.Out : ref original.In;
        return original.Stage == TraceStage.Left
            ? role == ProbeRole.Queue && last.SameAs(header)
            : last.CanBecome(header);
    }

    private static bool WasHere(PacketTrace original, in PacketEvent e)
    {
        foreach (ref readonly TraceEvent seen in original.Events)
        {
            if (seen.Probe == e.Probe && seen.Ifindex == e.Ifindex)
            {
                return true;
            }
        }
        return false;
    }

    /// <summary>At the same stage and device once more.</summary>
    private static bool PassedBefore(PacketTrace known, in PacketEvent e)
    {
        foreach (ref readonly TraceEvent seen in known.Events)
        {
            if (seen.Probe == e.Probe && seen.Ifindex == e.Ifindex && seen.SkbAddr == e.SkbAddr)
            {
                return true;
            }
        }
        return false;
    }

    /// <summary>
    /// From one stacked device to the next (bridge, VLAN, bond) nothing changes any more, not even what NAT and routing may change.
    /// Seen: an ARP reply on one device, and on the same address within the grace the next reply on another device.
    /// </summary>
    private static bool DiffersFromLeft(PacketTrace known, bool hasHeader, in PacketHeader header) =>
        hasHeader && known.HasOut && !known.Out.SameAs(header) && (IsTunnel(header) ? IsAroundAnother(known, header) : !IsTunnel(known.Out));

    /// <summary>A tunnel's packet that what was here last does not fit into.</summary>
    private static bool IsAroundAnother(PacketTrace known, in PacketHeader outer)
    {
        ref readonly PacketHeader last = ref known.HasOut ? ref known.Out : ref known.In;
        return (known.HasIn || known.HasOut) && !IsTunnel(last) && !MayBeInside(last, outer);
    }

    /// <summary>What cannot change has changed.</summary>
    private static bool Differs(PacketTrace known, ProbeRole role, bool hasHeader, in PacketHeader header)
    {
        if (!hasHeader || !known.HasIn)
        {
            return false;
        }
        ref readonly PacketHeader last = ref known.HasOut ? ref known.Out : ref known.In;
        if (IsTunnel(header) || IsTunnel(last))
        {
            return IsTunnel(header) ? IsAroundAnother(known, header) : role == ProbeRole.Receive && !MayBeInside(header, last);
        }
        if (!last.CanBecome(header))
        {
            return true;
        }
        // Many packets have no id (IPv6, UDP of unconnected sockets): then addresses help, as far as NAT cannot have changed them.
        return role switch
        {
            ProbeRole.Receive => !last.HasSourceOf(header),
            ProbeRole.Queue or ProbeRole.Xmit when known.Stage == TraceStage.Received => last.IsAnsweredBy(header),
            _ => false,
        };
    }
}
