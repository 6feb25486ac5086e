using NftCluster.Controller.Storage;

namespace NftCluster.Controller.Stitching;

/// <summary>An address, a port and a protocol pair, as one side of a hop or conntrack has it. Addresses are 16 bytes, IPv4 mapped.</summary>
internal readonly record struct Endpoints(byte Protocol, UInt128 Source, UInt128 Destination, ushort SourcePort, ushort DestinationPort)
{
    public Endpoints Reversed => new(Protocol, Destination, Source, DestinationPort, SourcePort);

    /// <summary>224.0.0.0/4, 255.255.255.255, ff00::/8: one packet may reach many.</summary>
    public bool IsToMany => (Destination >> 120) == 0xff || ((Destination >> 32) == 0xffff && ((uint)(Destination & 0xffffffff) >> 28 == 0xe || (uint)(Destination & 0xffffffff) == uint.MaxValue));
}

/// <summary>The packet's header as it came in or went out at a hop; only what joining asks for.</summary>
internal sealed record HopSide
{
    public string? Device { get; init; }

    public Endpoints Endpoints { get; init; }

    /// <summary>See PacketDigests; null = the header does not tell packets apart.</summary>
    public ulong? Wire { get; init; }

    public ulong? Content { get; init; }

    /// <summary>IPv4 TTL or IPv6 hop limit; null = no IP.</summary>
    public int? Ttl { get; init; }

    /// <summary>0 = none (IPv6, or not set).</summary>
    public int IpId { get; init; }

    /// <summary>Bytes; null = no fragment.</summary>
    public int? FragmentOffset { get; init; }

    /// <summary>ICMP echo: identifier and number; null = none.</summary>
    public uint? Echo { get; init; }

    public uint? TcpSeq { get; init; }

    public int PayloadLength { get; init; }

    /// <summary>By the sequence number: what holds it, holds these bytes.</summary>
    public bool IsTcpData => TcpSeq is not null && PayloadLength > 0;
}

/// <summary>What nft decided at a hop, where it did.</summary>
internal sealed record HopRule(string Verdict, string TraceType, string? Family, string? Table, string? Chain, long? Handle, string? Text);

/// <summary>
/// One packet trace as joining sees it. Times are the node's own, ns since 1970; with the clock's offset (node minus controller) at the
/// time of storing and how far that may be off. Nothing here is corrected: aligned times are computed from both.
/// </summary>
internal sealed record Hop
{
    public required TraceId Id { get; init; }

    public required long FirstNs { get; init; }

    public required long LastNs { get; init; }

    /// <summary>0 with an unknown bound: see <see cref="ClockBoundNs"/>.</summary>
    public long ClockOffsetNs { get; init; }

    /// <summary>Null = nothing is known of this clock.</summary>
    public long? ClockBoundNs { get; init; }

    /// <summary>As the trace calls it: UDP, ARP, ip-47.</summary>
    public string Protocol { get; init; } = "unknown";

    public HopSide? In { get; init; }

    public HopSide? Out { get; init; }

    public required string Verdict { get; init; }

    public string? DropReason { get; init; }

    public bool IsComplete { get; init; }

    public string? IncompleteReason { get; init; }

    /// <summary>The rule or policy that dropped it, else null.</summary>
    public HopRule? Dropped { get; init; }

    /// <summary>The connection's tuples, as conntrack of this host has them.</summary>
    public Endpoints? CtOriginal { get; init; }

    public Endpoints? CtReply { get; init; }

    public string Node => Id.NodeId;

    public long InNs => FirstNs - ClockOffsetNs;

    public long OutNs => LastNs - ClockOffsetNs;

    public HopSide? Side => In ?? Out;

    /// <summary>What this host's NAT makes of the packet, where conntrack knows its connection: as it must come in at the next host.</summary>
    public Endpoints? Translated => In is not { } side || CtOriginal is not { } original || CtReply is not { } reply ? null
        : side.Endpoints == original ? reply.Reversed
        : side.Endpoints == reply ? original.Reversed
        : null;
}
