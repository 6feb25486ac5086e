using System.Collections.Concurrent;
using System.Globalization;
using System.Text;

namespace NftCluster.Node.Kernel.Symbols;

/// <summary>The kernel's text symbols: turns an address such as a drop location into function+offset.</summary>
internal sealed class KernelSymbols
{
    public const string DefaultPath = "/proc/kallsyms";

    // Symbols carry no size: past this distance an address is data or not ours, not a very long function.
    private const ulong LongestFunction = 1 << 20;

    // Drop locations of one kernel are a few hundred; more than this are formatted anew each time.
    private const int CachedNames = 4096;

    private readonly ulong[] _addresses;
    private readonly int[] _nameStarts;
    private readonly byte[] _names; // each "name" or "name [module]", then a zero byte
    private readonly ConcurrentDictionary<ulong, string> _formatted = new();
    private readonly Lazy<NameTable> _byName;

    internal KernelSymbols(ulong[] addresses, int[] nameStarts, byte[] names, bool addressesHidden)
    {
        _addresses = addresses;
        _nameStarts = nameStarts;
        _names = names;
        AddressesHidden = addressesHidden;
        _byName = new Lazy<NameTable>(BuildNameTable);
    }

    public int Count => _addresses.Length;

    /// <summary>True when kernel.kptr_restrict (or missing rights) turned every address to zero: names exist, addresses cannot be named.</summary>
    public bool AddressesHidden { get; }

    public static KernelSymbols Load(string path = DefaultPath) => KallsymsReader.Read(path);

    /// <summary>Starts loading on another thread: the kernel itself needs some 0.5 µs per line to print the file, whoever reads it.</summary>
    public static Task<KernelSymbols> LoadInBackground(string path = DefaultPath) => Task.Run(() => Load(path));

    public bool TryFind(ulong address, out int index, out ulong offset)
    {
        ulong[] addresses = _addresses;
        int low = 0, high = addresses.Length;
        while (low < high)
        {
            int middle = (int)((uint)(low + high) >> 1);
            if (addresses[middle] <= address)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        index = low - 1;
        offset = index < 0 ? 0 : address - addresses[index];
        if (index < 0 || AddressesHidden || offset >= LongestFunction)
        {
            index = -1;
            offset = 0;
            return false;
        }

        // Several names at one address: the first in the file, as the kernel's own %pS does.
        while (index > 0 && addresses[index - 1] == addresses[index])
        {
            index--;
        }

        return true;
    }

    /// <summary>"udp_rcv+0x5a", "nft_do_chain+0x10 [nf_tables]", or "0x…" where the address belongs to no known function.</summary>
    public string NameAt(ulong address)
    {
        if (_formatted.TryGetValue(address, out string? known))
        {
            return known;
        }

        string text = Format(address);
        if (_formatted.Count < CachedNames)
        {
            _formatted[address] = text;
        }

        return text;
    }

    /// <summary>The symbol's name as loaded, with " [module]" where it is a module's.</summary>
    public string NameOf(int index) => Encoding.UTF8.GetString(NameBytes(index));

    /// <summary>Whether a function of exactly this name exists; foo.isra.0 does not make foo exist.</summary>
    public bool Contains(string name)
    {
        Span<byte> wanted = stackalloc byte[512];
        if (!Encoding.UTF8.TryGetBytes(name, wanted, out int length))
        {
            return false;
        }

        wanted = wanted[..length];
        NameTable table = _byName.Value;
        for (int entry = table.First(NameTable.HashOf(wanted)); entry >= 0; entry = table.Next(entry))
        {
            if (WithoutModule(NameBytes(entry)).SequenceEqual(wanted))
            {
                return true;
            }
        }

        return false;
    }

    private string Format(ulong address)
    {
        if (!TryFind(address, out int index, out ulong offset))
        {
            return "0x" + address.ToString("x", CultureInfo.InvariantCulture);
        }

        ReadOnlySpan<byte> name = NameBytes(index);
        ReadOnlySpan<byte> bare = WithoutModule(name);
        string text = Encoding.UTF8.GetString(bare);
        if (offset != 0)
        {
            text += "+0x" + offset.ToString("x", CultureInfo.InvariantCulture);
        }

        return bare.Length == name.Length ? text : text + Encoding.UTF8.GetString(name[bare.Length..]);
    }

    private ReadOnlySpan<byte> NameBytes(int index)
    {
        Span<byte> rest = _names.AsSpan(_nameStarts[index]);
        return rest[..rest.IndexOf((byte)0)];
    }

    private static ReadOnlySpan<byte> WithoutModule(ReadOnlySpan<byte> name)
    {
        int space = name.IndexOf((byte)' ');
        return space < 0 ? name : name[..space];
    }

    private NameTable BuildNameTable()
    {
        var table = new NameTable(_nameStarts.Length);
        for (int i = 0; i < _nameStarts.Length; i++)
        {
            table.Add(i, NameTable.HashOf(WithoutModule(NameBytes(i))));
        }

        return table;
    }
}
