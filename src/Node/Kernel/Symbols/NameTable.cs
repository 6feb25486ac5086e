using System.Runtime.CompilerServices;

namespace NftCluster.Node.Kernel.Symbols;

/// <summary>Chained hash table from a UTF-8 name's hash to entry numbers: finds names that stay where they are, without a string for each.</summary>
internal sealed class NameTable
{
    private readonly int[] _heads; // entry + 1, 0 = empty
    private readonly int[] _next;
    private readonly uint[] _hashes;

    public NameTable(int capacity)
    {
        _heads = new int[(int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)Math.Max(16, capacity))];
        _next = new int[capacity];
        _hashes = new uint[capacity];
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static uint HashOf(ReadOnlySpan<byte> name)
    {
        // FNV-1a: no set-up cost, and the names are short.
        uint hash = 2166136261u;
        foreach (byte b in name)
        {
            hash = (hash ^ b) * 16777619u;
        }

        return hash;
    }

    public void Add(int entry, uint hash)
    {
        ref int head = ref _heads[hash & (uint)(_heads.Length - 1)];
        _hashes[entry] = hash;
        _next[entry] = head;
        head = entry + 1;
    }

    /// <summary>The newest entry with this hash, −1 = none. The caller compares the name itself.</summary>
    public int First(uint hash) => Match(_heads[hash & (uint)(_heads.Length - 1)] - 1, hash);

    public int Next(int entry) => Match(_next[entry] - 1, _hashes[entry]);

    private int Match(int entry, uint hash)
    {
        while (entry >= 0 && _hashes[entry] != hash)
        {
            entry = _next[entry] - 1;
        }

        return entry;
    }
}
