using NftCluster.Node.Kernel.Symbols;

namespace NftCluster.Tests.Node.Kernel.Symbols;

public sealed class KernelSymbolsTests : IDisposable
{
    private const string Listing =
        "ffffffff81000000 T _stext\n" +
        "ffffffff81000000 T _text\n" +
        "ffffffff81000100 t udp_rcv\n" +
        "ffffffff81000200 T kfree_skb_reason\n" +
        "ffffffff81000250 t foo.isra.0\n" +
        "ffffffff82000000 D init_task\n" +
        "ffffffffc0002000 t nft_do_chain\t[nf_tables]\n" +
        "ffffffffc0001000 t br_forward\t[bridge]\n" +
        "ffffffffc0001800 w br_flood\t[bridge]";

    private readonly string _path = Path.GetTempFileName();

    [Fact]
    public void An_address_inside_a_function_is_named_with_its_offset() => Assert.Equal("udp_rcv+0x5a", Load(Listing).NameAt(0xffffffff8100015a));

    [Fact]
    public void An_address_in_a_module_names_the_module_though_modules_are_listed_unsorted()
    {
        KernelSymbols symbols = Load(Listing);

        Assert.Equal("br_forward+0x7ff [bridge]", symbols.NameAt(0xffffffffc00017ff));
        Assert.Equal("br_flood [bridge]", symbols.NameAt(0xffffffffc0001800));
        Assert.Equal("nft_do_chain+0x10 [nf_tables]", symbols.NameAt(0xffffffffc0002010));
    }

    [Fact]
    public void Of_several_names_at_one_address_the_first_is_taken() => Assert.Equal("_stext+0x4", Load(Listing).NameAt(0xffffffff81000004));

    [Theory]
    [InlineData(0x1000ul, "0x1000")]
    [InlineData(0xffffffff90000000ul, "0xffffffff90000000")]
    public void An_address_of_no_function_stays_a_number(ulong address, string expected) => Assert.Equal(expected, Load(Listing).NameAt(address));

    [Fact]
    public void Data_symbols_are_left_out_and_the_last_line_needs_no_newline() => Assert.Equal(8, Load(Listing).Count);

    [Fact]
    public void Functions_exist_under_their_exact_name_only()
    {
        KernelSymbols symbols = Load(Listing);

        Assert.True(symbols.Contains("udp_rcv"));
        Assert.True(symbols.Contains("nft_do_chain"));
        Assert.False(symbols.Contains("foo"));
        Assert.False(symbols.Contains("init_task"));
        Assert.False(symbols.Contains("nft_do_chain [nf_tables]"));
    }

    [Fact]
    public void Hidden_addresses_are_said_to_be_hidden_and_name_nothing()
    {
        KernelSymbols symbols = Load("0000000000000000 T _stext\n0000000000000000 t udp_rcv\n");

        Assert.True(symbols.AddressesHidden);
        Assert.Equal("0xffffffff81000104", symbols.NameAt(0xffffffff81000104));
        Assert.True(symbols.Contains("udp_rcv"));
    }

    [Fact]
    public void Lines_that_cross_the_reader_s_chunks_stay_whole()
    {
        string listing = string.Concat(Enumerable.Range(0, 40_000).Select(i => $"{0xffffffff81000000ul + ((ulong)i * 16):x16} t function_{i}\n"));

        KernelSymbols symbols = Load(listing);

        Assert.Equal(40_000, symbols.Count);
        Assert.All([0, 1, 9_999, 20_000, 39_999], i => Assert.Equal($"function_{i}+0x3", symbols.NameAt(0xffffffff81000003ul + ((ulong)i * 16))));
    }

    [Fact]
    public void A_look_up_allocates_nothing()
    {
        KernelSymbols symbols = Load(Listing);
        symbols.TryFind(0xffffffff8100015a, out _, out _);
        symbols.NameAt(0xffffffff8100015a);

        // The runtime itself may allocate on the way while it compiles anew; what look-ups allocate shows in every round.
        Assert.InRange(Enumerable.Range(0, 3).Min(_ => AllocatedBy(symbols)), 0, 1_000);
    }

    private static long AllocatedBy(KernelSymbols symbols)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 10_000; i++)
        {
            symbols.TryFind(0xffffffff81000100ul + (ulong)i, out _, out _);
            symbols.NameAt(0xffffffff8100015a);
        }
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }

    [Fact]
    public void The_running_kernel_s_own_functions_are_found()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "only root sees the addresses in /proc/kallsyms");
        var symbols = KernelSymbols.Load();
        Assert.SkipWhen(symbols.AddressesHidden, "kernel.kptr_restrict hides the addresses in /proc/kallsyms");
        string[] line = File.ReadLines(KernelSymbols.DefaultPath).Select(text => text.Split(' ', '\t')).First(parts => parts[2] == "ip_rcv");

        string name = symbols.NameAt(Convert.ToUInt64(line[0], 16) + 0x10);

        Assert.Equal("ip_rcv+0x10", name);
        Assert.True(symbols.Contains("ip_rcv"));
        Assert.False(symbols.Contains("no_such_function"));
    }

    public void Dispose() => File.Delete(_path);

    private KernelSymbols Load(string listing)
    {
        File.WriteAllText(_path, listing);
        return KernelSymbols.Load(_path);
    }
}
