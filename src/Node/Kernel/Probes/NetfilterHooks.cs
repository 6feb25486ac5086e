namespace NftCluster.Node.Kernel.Probes;

/// <summary>What a netfilter hook number means in its protocol family (enum nf_inet_hooks, NF_ARP_*, enum nf_dev_hooks).</summary>
internal static class NetfilterHooks
{
    private const uint FamilyArp = 3;
    private const uint FamilyNetdev = 5;

    private static readonly string[] _inetSteps = ["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"];
    private static readonly string[] _arpSteps = ["INPUT", "OUTPUT", "FORWARD"];
    private static readonly string[] _netdevSteps = ["TC ingress", "TX"];

    /// <summary>The journey's step, null for a hook that has none.</summary>
    public static string? StepOf(ulong hook, uint family)
    {
        string[] steps = family switch
        {
            FamilyArp => _arpSteps,
            FamilyNetdev => _netdevSteps,
            _ => _inetSteps, // bridge numbers its hooks as inet does
        };
        return hook < (ulong)steps.Length ? steps[hook] : null;
    }

    public static string? DirectionOf(ulong hook, uint family) => StepOf(hook, family) switch
    {
        "PREROUTING" or "INPUT" or "TC ingress" => "inbound",
        "FORWARD" => "forward",
        "OUTPUT" or "POSTROUTING" or "TX" => "outbound",
        _ => null,
    };
}
