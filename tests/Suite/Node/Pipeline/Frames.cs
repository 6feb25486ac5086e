using System.Buffers.Binary;
using System.Net;

namespace NftCluster.Tests.Node.Pipeline;

/// <summary>Ethernet frames for tests, written layer by layer; checksums are left out, nothing here reads them.</summary>
internal static class Frames
{
    public const byte IcmpProtocol = 1;
    public const byte TcpProtocol = 6;
    public const byte UdpProtocol = 17;

    public static byte[] Udp4(ushort id = 1, int payload = 32, string source = "10.1.0.2", string destination = "10.3.0.2", ushort from = 4000, ushort to = 9, byte ttl = 64) =>
        Ethernet(0x0800, IPv4(UdpProtocol, Udp(from, to, payload), source, destination, id, ttl));

    public static byte[] Udp6(int payload = 32, string source = "fd01::2", string destination = "fd03::2", ushort from = 4000, ushort to = 9) =>
        Ethernet(0x86dd, IPv6(UdpProtocol, Udp(from, to, payload), source, destination));

    public static byte[] Tcp4(ushort id = 1, uint sequence = 1, byte flags = 0x10, int payload = 0, ushort from = 4000, ushort to = 80) =>
        Ethernet(0x0800, IPv4(TcpProtocol, Tcp(from, to, sequence, 7, flags, payload), "10.1.0.2", "10.3.0.2", id, 64));

    public static byte[] Ethernet(ushort type, byte[] network) => [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, .. Big(type), .. network];

    /// <summary>The same frame behind a VLAN tag.</summary>
    public static byte[] Tagged(byte[] frame, ushort vlan, ushort tagType = 0x8100) =>
        [.. frame[..12], .. Big(tagType), .. Big(vlan), .. frame[12..]];

    public static byte[] IPv4(byte protocol, byte[] transport, string source, string destination, ushort id, byte ttl, byte[]? options = null, ushort fragment = 0)
    {
        byte[] extra = options ?? [];
        int header = 20 + extra.Length;
        return
        [
            (byte)(0x40 | (header / 4)), 0, .. Big((ushort)(header + transport.Length)), .. Big(id), .. Big(fragment),
            ttl, protocol, 0, 0, .. Address(source), .. Address(destination), .. extra, .. transport,
        ];
    }

    public static byte[] IPv6(byte next, byte[] rest, string source, string destination, byte hopLimit = 64) =>
        [0x60, 0, 0, 0, .. Big((ushort)rest.Length), next, hopLimit, .. Address(source), .. Address(destination), .. rest];

    /// <summary>An IPv6 extension header of 8 + 8 × units bytes.</summary>
    public static byte[] Extension(byte next, byte units, byte[] rest) => [next, units, .. new byte[6 + (8 * units)], .. rest];

    public static byte[] Udp(ushort from, ushort to, int payload) =>
        [.. Big(from), .. Big(to), .. Big((ushort)(8 + payload)), 0, 0, .. new byte[payload]];

    public static byte[] Tcp(ushort from, ushort to, uint sequence, uint acknowledged, byte flags, int payload) =>
        [.. Big(from), .. Big(to), .. Big(sequence), .. Big(acknowledged), 0x50, flags, 1, 0, 0, 0, 0, 0, .. new byte[payload]];

    public static byte[] Echo(byte type, ushort id, ushort sequence, int payload) =>
        [type, 0, 0, 0, .. Big(id), .. Big(sequence), .. new byte[payload]];

    public static byte[] Arp(ushort operation, string sender, string target) =>
        Ethernet(0x0806, [0, 1, 8, 0, 6, 4, .. Big(operation), .. new byte[6], .. Address(sender), .. new byte[6], .. Address(target)]);

    private static byte[] Address(string text) => IPAddress.Parse(text).GetAddressBytes();

    private static byte[] Big(ushort value)
    {
        byte[] bytes = new byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(bytes, value);
        return bytes;
    }

    private static byte[] Big(uint value)
    {
        byte[] bytes = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        return bytes;
    }
}
