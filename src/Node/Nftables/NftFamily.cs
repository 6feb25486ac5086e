namespace NftCluster.Node.Nftables;

/// <summary>The families of tables, by the kernel's numbers (NFPROTO_*).</summary>
internal enum NftFamily : byte
{
    Unspecified = 0,
    Inet = 1,
    Ip = 2,
    Arp = 3,
    Netdev = 5,
    Bridge = 7,
    Ip6 = 10,
}

/// <summary>The words that nft uses for numbers.</summary>
internal static class NftNames
{
    private static readonly string[] _hooks = ["prerouting", "input", "forward", "output", "postrouting", "ingress"];
    private static readonly string[] _arpHooks = ["input", "output", "forward"];
    private static readonly string[] _netdevHooks = ["ingress", "egress"];

    public static IReadOnlyList<string> Families { get; } = ["inet", "ip", "ip6", "arp", "bridge", "netdev"];

    public static string Of(NftFamily family) => family switch
    {
        NftFamily.Inet => "inet",
        NftFamily.Ip => "ip",
        NftFamily.Ip6 => "ip6",
        NftFamily.Arp => "arp",
        NftFamily.Bridge => "bridge",
        NftFamily.Netdev => "netdev",
        _ => $"family-{(byte)family}",
    };

    public static bool TryFamily(string text, out NftFamily family)
    {
        foreach (NftFamily known in Enum.GetValues<NftFamily>())
        {
            if (known != NftFamily.Unspecified && Of(known) == text)
            {
                family = known;
                return true;
            }
        }
        family = default;
        return false;
    }

    /// <summary>enum nft_chain_types.</summary>
    public static string ChainType(byte number) => number switch { 0 => "filter", 1 => "route", 2 => "nat", _ => $"type-{number}" };

    public static string Hook(NftFamily family, uint number)
    {
        string[] names = family switch { NftFamily.Arp => _arpHooks, NftFamily.Netdev => _netdevHooks, _ => _hooks };
        return number < names.Length ? names[number] : $"hook-{number}";
    }
}
