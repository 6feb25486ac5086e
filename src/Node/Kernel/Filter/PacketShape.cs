namespace NftCluster.Node.Kernel.Filter;

/// <summary>Where the offset of a <see cref="ShapeTerm"/> counts from.</summary>
internal enum ShapeBase : byte
{
    Network,
    Transport,
}

/// <summary>The number in these bytes, masked, lies between the two; a mask that leaves bits out has one value only.</summary>
internal readonly record struct ShapeTerm(ShapeBase Base, int Offset, int Size, uint Mask, uint Low, uint High)
{
    public uint WholeMask => AllBits(Size);

    public static uint AllBits(int bytes) => uint.MaxValue >> (32 - 8 * bytes);

    public bool Holds(uint value) => (value & Mask) is var masked && masked >= Low && masked <= High;
}

/// <summary>IPv4 or IPv6 packets for which all of the terms hold.</summary>
internal sealed record PacketShape(ushort EtherType, IReadOnlyList<ShapeTerm> Terms)
{
    public const ushort Ip4 = 0x0800;
    public const ushort Ip6 = 0x86dd;

    public bool HasPorts => Terms.Any(term => term.Base == ShapeBase.Transport || term.Offset >= PortsOfIp6);

    /// <summary>Behind the IPv6 header: ports, where no extension header stands between.</summary>
    public const int PortsOfIp6 = 40;

    /// <summary>Every packet of that shape is of this one: it says no more.</summary>
    public bool Covers(PacketShape other) => EtherType == other.EtherType && Terms.All(other.Terms.Contains);
}
