using NftCluster.Messages;

namespace NftCluster.Tests.Truth;

/// <summary>
/// What a packet was when it met the first chain. One that the host itself sends is known by where it goes: NAT may still change its source,
/// and a trace shows how it left.
/// </summary>
internal sealed record NftPacket(string Protocol, string? Source, int? SourcePort, string? Destination, int? DestinationPort, int? Ttl, int? IpId)
{
    private const int NeighboursAndGroupsFirst = 130;
    private const int NeighboursAndGroupsLast = 143;

    /// <summary>Null for what no chain of IP sees, and for what hosts say on their own.</summary>
    public static NftPacket? Of(TraceRecord trace)
    {
        if ((trace.In ?? trace.Out) is not { Protocol: not "ARP" } side || IsChatter(side.DstIp) || side is { Protocol: "ICMPv6", IcmpType: >= NeighboursAndGroupsFirst and <= NeighboursAndGroupsLast })
        {
            return null;
        }
        bool isSentHere = trace.In is null;
        return new NftPacket(side.Protocol, isSentHere ? null : side.SrcIp, isSentHere ? null : side.SrcPort, side.DstIp, side.DstPort, side.Ttl, side.IpId);
    }

    public static bool IsChatter(string? destination) => destination?.StartsWith("ff02:", StringComparison.Ordinal) == true;
}
