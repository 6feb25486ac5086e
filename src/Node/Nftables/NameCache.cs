using System.Text;

namespace NftCluster.Node.Nftables;

/// <summary>Names of tables and chains: each becomes a string once.</summary>
internal sealed class NameCache
{
    /// <summary>NFT_NAME_MAXLEN.</summary>
    private const int LongestName = 256;

    /// <summary>Rulesets have hundreds of chains; one whose names never repeat must not eat the memory.</summary>
    private const int Capacity = 16_384;

    private readonly Dictionary<string, string> _names = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string>.AlternateLookup<ReadOnlySpan<char>> _bySpan;

    public NameCache() => _bySpan = _names.GetAlternateLookup<ReadOnlySpan<char>>();

    public string Find(ReadOnlySpan<byte> zeroTerminated)
    {
        ReadOnlySpan<byte> bytes = zeroTerminated.TrimEnd((byte)0);
        Span<char> text = stackalloc char[LongestName];
        ReadOnlySpan<char> name = text[..Encoding.UTF8.GetChars(bytes[..Math.Min(bytes.Length, LongestName)], text)];
        if (_bySpan.TryGetValue(name, out string? known))
        {
            return known;
        }
        if (_names.Count == Capacity)
        {
            _names.Clear();
        }
        string made = name.ToString();
        _names[made] = made;
        return made;
    }
}
