using System.Buffers.Binary;
using NftCluster.Node.Kernel.Native;

namespace NftCluster.Node.Pipeline;

/// <summary>One direction of a connection as the kernel's struct nf_conntrack_tuple has it.</summary>
internal readonly ref struct ConntrackTuple(ReadOnlySpan<byte> bytes)
{
    private const ushort AfInet6 = 10;

    private readonly ReadOnlySpan<byte> _bytes = bytes;

    /// <summary>16 bytes; the first four where it is IPv4.</summary>
    public ReadOnlySpan<byte> Source => _bytes[..(IsIPv6 ? 16 : 4)];

    public ReadOnlySpan<byte> Destination => _bytes.Slice(20, IsIPv6 ? 16 : 4);

    /// <summary>ICMP: the echo's identifier.</summary>
    public ushort SourcePort => BinaryPrimitives.ReadUInt16BigEndian(_bytes[16..]);

    /// <summary>ICMP: type and code.</summary>
    public ushort DestinationPort => BinaryPrimitives.ReadUInt16BigEndian(_bytes[36..]);

    public byte Protocol => _bytes[38];

    private bool IsIPv6 => BinaryPrimitives.ReadUInt16LittleEndian(_bytes[18..]) == AfInet6;
}

/// <summary>The tuples that a trace's verdicts met: one, or two where NAT changed the reply's on the way.</summary>
internal sealed class ConntrackTuples
{
    /// <summary>More than a packet can meet; what comes after it has no tuples.</summary>
    public const int Capacity = 8;

    private readonly List<NftConntrack> _kept = new(1);

    public int Count => _kept.Count;

    public void Clear() => _kept.Clear();

    /// <summary>From 1 on; 0 = no room.</summary>
    public byte Keep(in NftConntrack seen)
    {
        for (int i = _kept.Count - 1; i >= 0; i--)
        {
            NftConntrack known = _kept[i];
            if (((ReadOnlySpan<byte>)known.Original).SequenceEqual(seen.Original) && ((ReadOnlySpan<byte>)known.Reply).SequenceEqual(seen.Reply))
            {
                return (byte)(i + 1);
            }
        }
        if (_kept.Count == Capacity)
        {
            return 0;
        }
        _kept.Add(seen);
        return (byte)_kept.Count;
    }

    public NftConntrack this[byte number] => _kept[number - 1];
}
