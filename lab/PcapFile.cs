using System.Buffers.Binary;

namespace NftCluster.Lab;

/// <summary>One packet of a capture file: from the link header on, as much as was captured.</summary>
public sealed record PcapPacket(long TimestampNs, ReadOnlyMemory<byte> Bytes, int OriginalLength);

/// <summary>Reads the classic pcap format (not pcapng), in both byte orders and both time resolutions.</summary>
public static class PcapFile
{
    private const uint Microseconds = 0xa1b2c3d4;
    private const uint Nanoseconds = 0xa1b23c4d;
    private const int FileHeaderBytes = 24;
    private const int PacketHeaderBytes = 16;

    /// <summary>All packets in the order of the file; a file that ends inside a packet is an error.</summary>
    public static IReadOnlyList<PcapPacket> Read(string file)
    {
        byte[] bytes = File.ReadAllBytes(file);
        if (bytes.Length < FileHeaderBytes)
        {
            throw new LabException($"{file}: not a pcap file: it has {bytes.Length} bytes.");
        }

        bool swapped = BinaryPrimitives.ReadUInt32LittleEndian(bytes) is not (Microseconds or Nanoseconds);
        uint magic = Word(bytes, 0, swapped);
        if (magic is not (Microseconds or Nanoseconds))
        {
            throw new LabException($"{file}: not a pcap file: write it with 'tcpdump -w' (pcapng is not read).");
        }

        var packets = new List<PcapPacket>();
        for (int at = FileHeaderBytes; at < bytes.Length;)
        {
            int captured = at + PacketHeaderBytes <= bytes.Length ? (int)Word(bytes, at + 8, swapped) : -1;
            if (captured < 0 || captured > bytes.Length - at - PacketHeaderBytes)
            {
                throw new LabException($"{file}: ends inside packet {packets.Count + 1}: was the capture stopped?");
            }

            long fraction = Word(bytes, at + 4, swapped) * (magic == Nanoseconds ? 1L : 1000L);
            long timestampNs = (Word(bytes, at, swapped) * 1_000_000_000L) + fraction;
            packets.Add(new PcapPacket(timestampNs, bytes.AsMemory(at + PacketHeaderBytes, captured), (int)Word(bytes, at + 12, swapped)));
            at += PacketHeaderBytes + captured;
        }

        return packets;
    }

    private static uint Word(byte[] bytes, int at, bool swapped) => swapped
        ? BinaryPrimitives.ReadUInt32BigEndian(bytes.AsSpan(at))
        : BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(at));
}
