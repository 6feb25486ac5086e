using BenchmarkDotNet.Attributes;
using NftCluster.Node.Kernel.Symbols;

namespace NftCluster.Bench.Parts;

/// <summary>Address to function+offset in this kernel's own symbols: anywhere in the text, and among the few that recur.</summary>
public class SymbolBenchmarks
{
    private const int Addresses = 4096;
    private const int Recurring = 16;
    private const ulong KernelText = 0xffff_ffff_8100_0000;
    private const ulong TextBytes = 16 << 20;

    private readonly ulong[] _random = new ulong[Addresses];
    private readonly ulong[] _recurring = new ulong[Addresses];
    private KernelSymbols _symbols = null!;

    [GlobalSetup]
    public void Load()
    {
        Rates.Set(nameof(SymbolBenchmarks), nameof(RandomAddresses), 1, "look-ups/s");
        Rates.Set(nameof(SymbolBenchmarks), nameof(RecurringAddresses), 1, "look-ups/s");
        _symbols = KernelSymbols.Load();
        if (_symbols.AddressesHidden)
        {
            throw new InvalidOperationException("the kernel hides its addresses: run as root with kernel.kptr_restrict at most 1");
        }
        // A fixed seed: the same addresses in every run.
        Random random = new(1);
        for (int i = 0; i < Addresses; i++)
        {
            _random[i] = KernelText + (ulong)random.NextInt64((long)TextBytes);
            _recurring[i] = _random[random.Next(Recurring)];
        }
    }

    [Benchmark(OperationsPerInvoke = Addresses)]
    public int RandomAddresses() => Find(_random);

    [Benchmark(OperationsPerInvoke = Addresses)]
    public int RecurringAddresses() => Find(_recurring);

    private int Find(ulong[] addresses)
    {
        int found = 0;
        foreach (ulong address in addresses)
        {
            found += _symbols.TryFind(address, out _, out _) ? 1 : 0;
        }
        return found;
    }
}
