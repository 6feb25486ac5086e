using System.Globalization;

namespace NftCluster.Node.Kernel.Symbols;

/// <summary>Names of the kernel's drop reasons, with those of subsystems (reason >> 16) where their module is loaded.</summary>
internal sealed class DropReasons
{
    private const string Prefix = "SKB_DROP_REASON_";

    private readonly Dictionary<long, string> _names = [];
    private readonly Dictionary<long, string> _subsystems = [];

    public DropReasons(KernelTypes types)
    {
        Take(_names, types.ValuesOfEnum("skb_drop_reason"), Prefix);
        Take(_subsystems, types.ValuesOfEnum("skb_drop_reason_subsys"), Prefix + "SUBSYS_");

        // Their values carry the subsystem's number in the upper half; built in or in a module.
        foreach ((string? name, string? module) in new[] { ("mac80211_drop_reason", "mac80211"), ("ovs_drop_reason", "openvswitch") })
        {
            Take(_names, types.ValuesOfEnum(name) ?? types.ValuesOfEnum(name, module), Prefix);
        }
    }

    /// <summary>"NO_SOCKET"; "OPENVSWITCH:7" where only the subsystem is known; the number where nothing is.</summary>
    public string NameOf(uint reason)
    {
        if (_names.TryGetValue(reason, out string? name))
        {
            return name;
        }

        string number = (reason & 0xffff).ToString(CultureInfo.InvariantCulture);
        return reason >> 16 != 0 && _subsystems.TryGetValue(reason >> 16, out string? subsystem)
            ? subsystem + ":" + number
            : reason.ToString(CultureInfo.InvariantCulture);
    }

    private static void Take(Dictionary<long, string> target, IReadOnlyDictionary<long, string>? values, string prefix)
    {
        foreach ((long value, string? name) in values ?? new Dictionary<long, string>())
        {
            target.TryAdd((uint)value, name.StartsWith(prefix, StringComparison.Ordinal) ? name[prefix.Length..] : name);
        }
    }
}
