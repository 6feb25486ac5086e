using System.Buffers.Binary;
using System.Text;

namespace NftCluster.Tests.Node.Pipeline;

/// <summary>Messages of nft's trace as the kernel writes them: nlmsghdr, nfgenmsg, attributes in its order.</summary>
internal static class NftMessages
{
    public const byte Inet = 1;

    public static byte[] Rule(uint id, ulong handle, int code, string chain = "forward", string? target = null, byte[]? network = null, byte[]? transport = null, byte family = Inet) =>
        Message(family, id, 3, chain, [
            .. Attribute(3, Big(handle)),
            .. Attribute(5, [.. Attribute(1, Big((uint)code)), .. target is null ? [] : Attribute(2, Text(target))]),
            .. network is null ? [] : Attribute(8, network),
            .. transport is null ? [] : Attribute(9, transport),
        ]);

    public static byte[] Policy(uint id, uint code, string chain = "forward") => Message(Inet, id, 1, chain, Attribute(16, Big(code)));

    public static byte[] Return(uint id, string chain) => Message(Inet, id, 2, chain, Attribute(5, Attribute(1, Big(unchecked((uint)-1)))));

    private static byte[] Message(byte family, uint id, uint type, string chain, byte[] rest)
    {
        byte[] body =
        [
            family, 0, 0, 0,
            .. Attribute(15, Big(2)),
            .. Attribute(4, Big(type)),
            .. Attribute(6, Big(id)),
            .. Attribute(2, Text(chain)),
            .. Attribute(1, Text("filter")),
            .. rest,
        ];
        byte[] message = new byte[16 + body.Length];
        BinaryPrimitives.WriteInt32LittleEndian(message, message.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(message.AsSpan(4), (10 << 8) | 17);
        body.CopyTo(message, 16);
        return message;
    }

    private static byte[] Attribute(ushort type, byte[] value)
    {
        byte[] bytes = new byte[(4 + value.Length + 3) & ~3];
        BinaryPrimitives.WriteUInt16LittleEndian(bytes, (ushort)(4 + value.Length));
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(2), type);
        value.CopyTo(bytes, 4);
        return bytes;
    }

    private static byte[] Text(string text) => [.. Encoding.UTF8.GetBytes(text), 0];

    private static byte[] Big(uint value)
    {
        byte[] bytes = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        return bytes;
    }

    private static byte[] Big(ulong value)
    {
        byte[] bytes = new byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, value);
        return bytes;
    }
}
