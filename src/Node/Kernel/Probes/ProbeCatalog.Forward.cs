namespace NftCluster.Node.Kernel.Probes;

// Netfilter and what only forwarded packets pass.
internal static partial class ProbeCatalog
{
    private static ProbeDefinition[] Forward =>
    [
        // The step of these follows the hook number: ProbeDefinition.StepOf.
        WithHookState(Function(
            "nf_hook_slow",
            "netfilter",
            "unknown",
            "PREROUTING",
            "hook:ipv4/PREROUTING",
            "hook:ipv4/INPUT",
            "hook:ipv4/FORWARD",
            "hook:ipv4/OUTPUT",
            "hook:ipv4/POSTROUTING",
            "hook:ipv6/PREROUTING",
            "hook:ipv6/INPUT",
            "hook:ipv6/FORWARD",
            "hook:ipv6/OUTPUT",
            "hook:ipv6/POSTROUTING")),
        InModule("nf_conntrack", WithHookState(Function("nf_conntrack_in", "netfilter", "unknown", "PREROUTING"))),
        InModule("nf_nat", WithHookState(Function("nf_nat_inet_fn", "netfilter", "unknown", "POSTROUTING"))),
        InModule("nf_nat", WithValues(Function("nf_nat_manip_pkt", "netfilter", "unknown", "POSTROUTING"), "nf_nat_manip_type")),

        Hook("ipv4/PREROUTING", "inbound", "PREROUTING"),
        Hook("ipv4/INPUT", "inbound", "INPUT"),
        Hook("ipv4/FORWARD", "forward", "FORWARD"),
        Hook("ipv4/OUTPUT", "outbound", "OUTPUT") with { Role = ProbeRole.LocalOut },
        Hook("ipv4/POSTROUTING", "outbound", "POSTROUTING"),
        Hook("ipv6/PREROUTING", "inbound", "PREROUTING"),
        Hook("ipv6/INPUT", "inbound", "INPUT"),
        Hook("ipv6/FORWARD", "forward", "FORWARD"),
        Hook("ipv6/OUTPUT", "outbound", "OUTPUT") with { Role = ProbeRole.LocalOut },
        Hook("ipv6/POSTROUTING", "outbound", "POSTROUTING"),

        Function("ip_forward", "ip", "forward", "FORWARD", "hook:ipv4/FORWARD"),
        Function("ip_forward_finish", "ip", "forward", "output"),
        Function("ip6_forward", "ip", "forward", "FORWARD", "hook:ipv6/FORWARD"),

        // Locally sent packets pass these as well.
        Function("ip_output", "ip", "outbound", "output", "hook:ipv4/POSTROUTING"),
        Function("ip6_output", "ip", "outbound", "output", "hook:ipv6/POSTROUTING"),
        Function("ip_finish_output", "ip", "outbound", "POSTROUTING"),
        Function("ip6_finish_output", "ip", "outbound", "POSTROUTING"),
        Function("ip_finish_output2", "ip", "outbound", "output"),
        Function("ip6_finish_output2", "ip", "outbound", "output"),
        Function("ip_do_fragment", "ip", "outbound", "output"),
        Function("ip6_fragment", "ip", "outbound", "output"),
    ];
}
