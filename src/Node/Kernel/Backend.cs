namespace NftCluster.Node.Kernel;

/// <summary>The way a probe is watched. Names on the command line and in JSON: <see cref="Backends.NameOf"/>.</summary>
internal enum Backend
{
    Fentry,
    KprobeMulti,
    Kprobe,
    Tracepoint,
    Netfilter,

    /// <summary>nft's own trace, for its verdicts only.</summary>
    NftNetlink,
}

/// <summary>The backends' names, as users type and read them.</summary>
internal static class Backends
{
    public const string Auto = "auto";

    private static readonly Dictionary<string, Backend> _byName = new(StringComparer.Ordinal)
    {
        ["fentry"] = Backend.Fentry,
        ["kprobe-multi"] = Backend.KprobeMulti,
        ["kprobe"] = Backend.Kprobe,
        ["tracepoint"] = Backend.Tracepoint,
        ["netfilter"] = Backend.Netfilter,
        ["nft-netlink"] = Backend.NftNetlink,
    };

    public static IEnumerable<string> Names => _byName.Keys;

    public static string NameOf(Backend backend) => _byName.First(pair => pair.Value == backend).Key;

    public static bool TryParse(string name, out Backend backend) => _byName.TryGetValue(name, out backend);
}
