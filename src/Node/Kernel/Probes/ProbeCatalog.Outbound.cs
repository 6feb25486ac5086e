namespace NftCluster.Node.Kernel.Probes;

// From the socket to the device.
internal static partial class ProbeCatalog
{
    private static ProbeDefinition[] Outbound =>
    [
        Counted(Function("tcp_sendmsg", "socket", "outbound", "socket", "tp:sock_send_length")) with { InProcess = true },
        Counted(Function("udp_sendmsg", "socket", "outbound", "socket", "tp:sock_send_length")) with { InProcess = true },
        Counted(Function("udpv6_sendmsg", "socket", "outbound", "socket", "tp:sock_send_length")) with { InProcess = true },
        Counted(Tracepoint("sock_send_length", "socket", "outbound", "socket")) with { InProcess = true }, // 6.3+
        Counted(Tracepoint("inet_sock_set_state", "socket", "unknown", "socket")),
        Function("__tcp_transmit_skb", "transport", "outbound", "transport"),
        Tracepoint("tcp_retransmit_skb", "transport", "outbound", "transport"),
        WithValues(Tracepoint("tcp_send_reset", "transport", "outbound", "transport"), "sk_rst_reason"), // 6.10+ says why
        Function("udp_send_skb", "transport", "outbound", "transport") with { InProcess = true },
        Function("udp_v6_send_skb", "transport", "outbound", "transport") with { InProcess = true },

        Flow(ParamKind.Flow4, Function("ip_route_output_key_hash", "routing", "outbound", "routing", "tp:fib_table_lookup")),
        Flow(ParamKind.Flow4, Function("ip_route_output_key_hash_rcu", "routing", "outbound", "routing", "tp:fib_table_lookup")),
        Flow(ParamKind.Flow6, Function("ip6_route_output_flags", "routing", "outbound", "routing", "tp:fib6_table_lookup")),
        // Policy and source checks of inbound packets look up here as well.
        Flow(ParamKind.Flow4, Tracepoint("fib_table_lookup", "routing", "unknown", "routing"), "u32"),
        Flow(ParamKind.Flow6, Tracepoint("fib6_table_lookup", "routing", "unknown", "routing"), "fib6_table*"),

        Function("ip_queue_xmit", "ip", "outbound", "output"),
        Function("ip6_xmit", "ip", "outbound", "output"),
        Function("ip_send_skb", "ip", "outbound", "output"),
        Function("ip6_send_skb", "ip", "outbound", "output"),
        Function("ip_build_and_send_pkt", "ip", "outbound", "output"), // SYN-ACK
        Function("__ip_local_out", "ip", "outbound", "OUTPUT", "hook:ipv4/OUTPUT") with { Role = ProbeRole.LocalOut },
        Function("__ip6_local_out", "ip", "outbound", "OUTPUT", "hook:ipv6/OUTPUT") with { Role = ProbeRole.LocalOut },

        Tracepoint("net_dev_queue", "device", "outbound", "qdisc", ProbeRole.Queue),
        Function("__dev_queue_xmit", "device", "outbound", "qdisc", "tp:net_dev_queue"),
        Function("__skb_gso_segment", "device", "outbound", "TX", "tp:net_dev_start_xmit"),
        Tracepoint("qdisc_enqueue", "qdisc", "outbound", "qdisc"),
        Tracepoint("qdisc_dequeue", "qdisc", "outbound", "qdisc"), // its skb may be NULL
        Function("sch_direct_xmit", "qdisc", "outbound", "qdisc", "tp:qdisc_dequeue"),
        Function("dev_hard_start_xmit", "device", "outbound", "TX", "tp:net_dev_start_xmit"),
        Tracepoint("net_dev_start_xmit", "device", "outbound", "TX", ProbeRole.Xmit),
        // After the driver had it: the skb may be freed, or be in another namespace already. Never a packet's event.
        Counted(Tracepoint("net_dev_xmit", "device", "outbound", "TX")),
        InModule("8021q", Function("vlan_dev_hard_start_xmit", "device", "outbound", "TX", "tp:net_dev_start_xmit")),
        Function("skb_vlan_push", "device", "unknown", "TX"),
        Function("skb_vlan_pop", "device", "unknown", "TX"),
        Function("iptunnel_xmit", "ip", "outbound", "output"),
    ];
}
