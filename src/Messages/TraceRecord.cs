
namespace NftCluster.Messages;

/// <summary>One closed packet trace as the JSON export and `trace --json` show it: everything seen of one packet in one namespace.</summary>
public sealed record TraceRecord
{
    /// <summary>The visit: skb address / namespace inode / generation. Unique within a session.</summary>
    public required string Key { get; init; }

    /// <summary>Kernel address of the skb, "0x…" (the first one, where clones were followed).</summary>
    public required string? SkbAddr { get; init; }

    /// <summary>TCP, UDP, ICMP, ICMPv6, ARP, or IP protocol / EtherType number as text ("ip-47", "ether-0x88cc").</summary>
    public required string ProtocolName { get; init; }

    public string? SrcIp { get; init; }
    public string? DstIp { get; init; }
    public int? SrcPort { get; init; }
    public int? DstPort { get; init; }

    /// <summary>RFC 3339, UTC, nanoseconds.</summary>
    public required string FirstSeen { get; init; }
    public required string LastSeen { get; init; }
    public required long DurationNs { get; init; }

    /// <summary>inbound, forward, outbound or unknown.</summary>
    public required string Direction { get; init; }

    /// <summary>delivered, forwarded, dropped, consumed or unknown. A packet that left through a device is "forwarded", its direction tells whether it began here.</summary>
    public required string FinalVerdict { get; init; }

    /// <summary>The kernel's name of the drop reason without SKB_DROP_REASON_, null where nothing was dropped.</summary>
    public string? DropReason { get; init; }

    /// <summary>Function+offset that freed the packet.</summary>
    public string? DropFunction { get; init; }

    /// <summary>Distinct functions and tracepoints in the order of their first hit.</summary>
    public required IReadOnlyList<string> FunctionsCalled { get; init; }

    /// <summary>True when the packet's end, or its leaving, was seen and nothing of it is known to be missing.</summary>
    public required bool Complete { get; init; }

    /// <summary>Why not complete: timeout, evicted, stopped, events-truncated, end-not-seen. Null when complete.</summary>
    public string? IncompleteReason { get; init; }

    public PacketSide? In { get; init; }
    public PacketSide? Out { get; init; }

    /// <summary>Inode of the network namespace.</summary>
    public required uint Netns { get; init; }

    public required IReadOnlyList<EventRecord> Events { get; init; }

    /// <summary>nftables verdicts; empty in FULL mode without nft.</summary>
    public required IReadOnlyList<NftEventRecord> NftEvents { get; init; }
}

/// <summary>The packet's header as it came in or as it left.</summary>
public sealed record PacketSide
{
    public string? Device { get; init; }
    public required int Ifindex { get; init; }
    public required string Protocol { get; init; }
    public string? SrcIp { get; init; }
    public string? DstIp { get; init; }
    public int? SrcPort { get; init; }
    public int? DstPort { get; init; }

    /// <summary>IPv4 TTL or IPv6 hop limit.</summary>
    public int? Ttl { get; init; }

    /// <summary>IPv4 identification; null for IPv6.</summary>
    public int? IpId { get; init; }

    /// <summary>Bytes from the network header on.</summary>
    public required long Length { get; init; }
    public int? VlanId { get; init; }
    public uint? TcpSeq { get; init; }
    public uint? TcpAck { get; init; }

    /// <summary>As tcpdump prints them: "S", "S.", "P.", "F." …</summary>
    public string? TcpFlags { get; init; }

    /// <summary>Bytes of transport payload.</summary>
    public int? PayloadLength { get; init; }

    /// <summary>ICMP type and code, echo identifier and sequence where they exist.</summary>
    public int? IcmpType { get; init; }
    public int? IcmpCode { get; init; }
    public int? IcmpId { get; init; }
    public int? IcmpSeq { get; init; }

    /// <summary>Segments this packet stands for (GRO, GSO); null = one.</summary>
    public int? Segments { get; init; }

    /// <summary>Bytes before this IP fragment's in its datagram; null = no fragment.</summary>
    public int? FragmentOffset { get; init; }

    /// <summary>64-bit name, "0x…", of what a router does not change: the same packet has it on each host, before and behind a router. Null where the header does not tell packets apart.</summary>
    public string? WireDigest { get; init; }

    /// <summary>As wire_digest, of what NAT does not change either.</summary>
    public string? ContentDigest { get; init; }

    /// <summary>The transport payload's first bytes in hex, as many as were asked for (snap bytes) and the kernel's sample shows; null = none.</summary>
    public string? Payload { get; init; }
}

/// <summary>One kernel observation of one packet.</summary>
public sealed record EventRecord
{
    /// <summary>RFC 3339, UTC, nanoseconds.</summary>
    public required string Timestamp { get; init; }

    /// <summary>Nanoseconds since the trace's first event.</summary>
    public required long OffsetNs { get; init; }
    public required string SkbAddr { get; init; }
    public required string FuncName { get; init; }

    /// <summary>socket, transport, ip, routing, netfilter, neighbour, bridge, tc, qdisc, device, driver, gro, skb.</summary>
    public required string Layer { get; init; }
    public required string Direction { get; init; }

    /// <summary>The journey's step: NIC, driver, GRO, TC ingress, PREROUTING, routing, local, INPUT, transport, socket, FORWARD, output, OUTPUT, POSTROUTING, qdisc, TX, neighbour, bridge, copy, drop, end.</summary>
    public required string Step { get; init; }
    public required string Protocol { get; init; }
    public string? SrcIp { get; init; }
    public string? DstIp { get; init; }
    public int? SrcPort { get; init; }
    public int? DstPort { get; init; }
    /// <summary>Of the skb, from where its data begins at this place: with or without the link header.</summary>
    public required long Length { get; init; }
    public string? Device { get; init; }
    public required int Ifindex { get; init; }
    public required int Cpu { get; init; }
    public string? Comm { get; init; }
    public int? Pid { get; init; }
    public int? Ttl { get; init; }
    public uint? Mark { get; init; }

    /// <summary>What this probe adds, as text: "hook=FORWARD pf=inet4", "reason=NO_SOCKET at=__udp4_lib_rcv+0x5a", "table=254".</summary>
    public string? Detail { get; init; }
}

/// <summary>One nftables verdict. An address that the source cannot know is null.</summary>
public sealed record NftEventRecord
{
    public required string Timestamp { get; init; }
    public string? SkbAddr { get; init; }
    public string? ChainAddr { get; init; }
    public string? ExprAddr { get; init; }
    public required string Verdict { get; init; }
    public string? Hook { get; init; }
    public long? RuleHandle { get; init; }

    /// <summary>rule, return (the end of a chain) or policy.</summary>
    public required string TraceType { get; init; }

    /// <summary>ns since the trace's first_seen.</summary>
    public long OffsetNs { get; init; }

    /// <summary>inet, ip, ip6, arp, bridge or netdev.</summary>
    public string? Family { get; init; }
    public string? Table { get; init; }
    public string? Chain { get; init; }

    /// <summary>Of the base chain.</summary>
    public string? ChainType { get; init; }
    public int? Priority { get; init; }

    /// <summary>As nft prints it, of the generation that judged; null = no rule, or not known for certain.</summary>
    public string? RuleText { get; init; }

    /// <summary>The ruleset that judged; null = not known.</summary>
    public uint? RulesetGeneration { get; init; }

    /// <summary>Why rule_text is not known: not-read, ambiguous, out-of-reach …; null where it is.</summary>
    public string? TextUnknown { get; init; }
    public string? JumpTarget { get; init; }
    public string? InDevice { get; init; }
    public string? OutDevice { get; init; }
    public uint? Mark { get; init; }
    public long? CtId { get; init; }

    /// <summary>new, established, related, invalid or untracked.</summary>
    public string? CtState { get; init; }

    /// <summary>Bits of enum ip_conntrack_status.</summary>
    public uint? CtStatus { get; init; }

    /// <summary>The connection as its first packet went, and as its answers come; null where conntrack did not know the packet.</summary>
    public ConntrackTupleRecord? CtOriginal { get; init; }
    public ConntrackTupleRecord? CtReply { get; init; }

    /// <summary>How long the base chain took, with all it jumped to; at its last step, null elsewhere and where it is not known.</summary>
    public long? ChainNs { get; init; }
}

/// <summary>One direction of a connection as conntrack has it.</summary>
public sealed record ConntrackTupleRecord
{
    public required string Protocol { get; init; }
    public required string SrcIp { get; init; }
    public required string DstIp { get; init; }

    /// <summary>Null where the protocol has no ports.</summary>
    public int? SrcPort { get; init; }
    public int? DstPort { get; init; }
    public int? IcmpType { get; init; }
    public int? IcmpCode { get; init; }
    public int? IcmpId { get; init; }
}
