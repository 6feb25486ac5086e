using System.Buffers.Binary;
using System.Text;

namespace NftCluster.Node.Nftables;

/// <summary>
/// One message of netfilter's nftables part, as a view of the receive buffer:
/// <code>
/// 0        4      6       8     12    16       17        18        20
/// | length | type | flags | seq | pid | family | version | res_id  | attributes …
/// |------------ nlmsghdr -------------|------- nfgenmsg -----------|
/// </code>
/// </summary>
internal readonly ref struct NetlinkMessage(ReadOnlySpan<byte> bytes)
{
    public const int HeaderLength = 16;
    public const int PrefixLength = 20;
    public const int TypeError = 2;
    public const int TypeDone = 3;
    public const int FlagDumpInterrupted = 0x10;

    private readonly ReadOnlySpan<byte> _bytes = bytes;

    public ushort Type => BinaryPrimitives.ReadUInt16LittleEndian(_bytes[4..]);

    public ushort Flags => BinaryPrimitives.ReadUInt16LittleEndian(_bytes[6..]);

    public uint Sequence => BinaryPrimitives.ReadUInt32LittleEndian(_bytes[8..]);

    public NftFamily Family => (NftFamily)_bytes[HeaderLength];

    /// <summary>The errno of an error message, positive; 0 acknowledges.</summary>
    public int Error => -BinaryPrimitives.ReadInt32LittleEndian(_bytes[HeaderLength..]);

    /// <summary>What follows the header: of other subsystems than netfilter's.</summary>
    public ReadOnlySpan<byte> Payload => _bytes[HeaderLength..];

    public NetlinkAttributes Attributes => new(_bytes.Length > PrefixLength ? _bytes[PrefixLength..] : default);

    /// <summary>Takes the first message off the buffer; false at its end or where it makes no sense.</summary>
    public static bool TryTake(ref ReadOnlySpan<byte> buffer, out NetlinkMessage message)
    {
        message = default;
        if (buffer.Length < HeaderLength)
        {
            return false;
        }
        uint length = BinaryPrimitives.ReadUInt32LittleEndian(buffer);
        if (length < HeaderLength || length > buffer.Length)
        {
            return false;
        }
        message = new NetlinkMessage(buffer[..(int)length]);
        buffer = buffer[Math.Min(buffer.Length, NetlinkAttributes.Align((int)length))..];
        return true;
    }
}

/// <summary>Attributes one after the other: length (2), type (2), value, padded to 4. Numbers are big-endian.</summary>
internal ref struct NetlinkAttributes(ReadOnlySpan<byte> bytes)
{
    private const int Header = 4;
    private const ushort TypeMask = 0x3fff; // without the bits "nested" and "network byte order"

    private ReadOnlySpan<byte> _rest = bytes;

    public int Type { get; private set; }

    public ReadOnlySpan<byte> Value { get; private set; }

    public readonly uint UInt32 => Value.Length >= 4 ? BinaryPrimitives.ReadUInt32BigEndian(Value) : 0;

    public readonly ulong UInt64 => Value.Length >= 8 ? BinaryPrimitives.ReadUInt64BigEndian(Value) : 0;

    public readonly string Text => Encoding.UTF8.GetString(Value.TrimEnd((byte)0));

    public readonly NetlinkAttributes Nested => new(Value);

    public static int Align(int length) => (length + 3) & ~3;

    public bool MoveNext()
    {
        if (_rest.Length < Header)
        {
            return false;
        }
        int length = BinaryPrimitives.ReadUInt16LittleEndian(_rest);
        if (length < Header || length > _rest.Length)
        {
            return false;
        }
        Type = BinaryPrimitives.ReadUInt16LittleEndian(_rest[2..]) & TypeMask;
        Value = _rest[Header..length];
        _rest = _rest[Math.Min(_rest.Length, Align(length))..];
        return true;
    }
}
