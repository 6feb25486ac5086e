namespace NftCluster.Node.Kernel.Probes;

// From the device to the socket: issue order is the packet's order.
internal static partial class ProbeCatalog
{
    private static ProbeDefinition[] Inbound =>
    [
        // Doors: where a packet enters from a device.
        Tracepoint("napi_gro_receive_entry", "device", "inbound", "NIC", ProbeRole.Receive),
        Tracepoint("napi_gro_frags_entry", "device", "inbound", "NIC", ProbeRole.Receive),
        Tracepoint("netif_receive_skb", "device", "inbound", "NIC", ProbeRole.Receive),
        Tracepoint("netif_rx", "device", "inbound", "NIC", ProbeRole.Receive) with { Defers = true }, // onto a CPU's backlog
        // These three run just before the tracepoints above, so the packet may still be unknown: doors, too.
        Function("napi_gro_receive", "device", "inbound", "NIC", "tp:napi_gro_receive_entry") with { Role = ProbeRole.Receive },
        Function("gro_receive_skb", "device", "inbound", "NIC", "tp:napi_gro_receive_entry") with { Role = ProbeRole.Receive }, // 6.14+
        Function("netif_receive_skb", "device", "inbound", "NIC", "tp:netif_receive_skb") with { Role = ProbeRole.Receive },

        Counted(Function("net_rx_action", "driver", "inbound", "driver", "tp:napi_poll")),
        Counted(Function("process_backlog", "driver", "inbound", "driver", "tp:napi_poll")),
        Counted(Tracepoint("napi_poll", "driver", "inbound", "driver")),
        Counted(Tracepoint("xdp_exception", "driver", "inbound", "driver")),
        Function("dev_gro_receive", "gro", "inbound", "GRO", "tp:napi_gro_receive_entry"),
        Function("skb_gro_receive", "gro", "inbound", "GRO") with { SkbArgument = "sk_buff*#2" }, // (held packet, new one)
        Counted(Function("gro_normal_list", "gro", "inbound", "GRO", "tp:netif_receive_skb")), // inlined by most compilers
        Function("__netif_receive_skb_one_core", "device", "inbound", "NIC", "tp:netif_receive_skb"),
        Function("tcf_classify", "tc", "unknown", "TC ingress"), // egress filters pass here too
        Function("skb_vlan_untag", "device", "inbound", "NIC"),

        Function("ip_rcv", "ip", "inbound", "PREROUTING", "hook:ipv4/PREROUTING"),
        Function("ipv6_rcv", "ip", "inbound", "PREROUTING", "hook:ipv6/PREROUTING"),
        Function("ip_defrag", "ip", "unknown", "PREROUTING"),
        Function("ipv6_frag_rcv", "ip", "inbound", "local"),
        Function("ip_rcv_finish", "ip", "inbound", "routing"),
        Function("ip6_rcv_finish", "ip", "inbound", "routing"),
        Function("ip_route_input_noref", "routing", "inbound", "routing", "tp:fib_table_lookup"),
        Function("ip_route_input_slow", "routing", "inbound", "routing", "tp:fib_table_lookup"),
        Function("fib_validate_source", "routing", "inbound", "routing", "tp:fib_table_lookup"),
        Function("ip6_route_input", "routing", "inbound", "routing", "tp:fib6_table_lookup"),

        Function("ip_local_deliver", "ip", "inbound", "local", "hook:ipv4/INPUT"),
        Function("ip_local_deliver_finish", "ip", "inbound", "INPUT"),
        Function("ip_protocol_deliver_rcu", "ip", "inbound", "INPUT"),
        Function("ip6_input", "ip", "inbound", "local", "hook:ipv6/INPUT"),
        Function("ip6_input_finish", "ip", "inbound", "INPUT"),
        Function("ip6_protocol_deliver_rcu", "ip", "inbound", "INPUT"),

        Function("tcp_v4_rcv", "transport", "inbound", "transport"),
        Function("tcp_v6_rcv", "transport", "inbound", "transport"),
        Function("tcp_rcv_established", "transport", "inbound", "transport", "tp:tcp_probe"),
        Function("tcp_rcv_state_process", "transport", "inbound", "transport"),
        Tracepoint("tcp_probe", "transport", "inbound", "transport"),
        Tracepoint("tcp_bad_csum", "transport", "inbound", "transport"),
        Function("udp_rcv", "transport", "inbound", "transport"),
        Function("__udp4_lib_rcv", "transport", "inbound", "transport"),
        Function("udpv6_rcv", "transport", "inbound", "transport"),
        Function("__udp6_lib_rcv", "transport", "inbound", "transport"),
        Function("icmp_rcv", "transport", "inbound", "transport"),
        Function("icmpv6_rcv", "transport", "inbound", "transport"),
        Function("ping_rcv", "transport", "inbound", "transport"),
        WithValues(Tracepoint("icmp_send", "transport", "unknown", "transport"), "int", "int#2"), // type and code
        Function("__icmp_send", "transport", "unknown", "transport", "tp:icmp_send"),
        WithValues(Function("icmp6_send", "transport", "unknown", "transport"), "u8", "u8#2"),

        Function("tcp_data_queue", "socket", "inbound", "socket"),
        Function("__udp_enqueue_schedule_skb", "socket", "inbound", "socket"),
        Function("sock_queue_rcv_skb_reason", "socket", "inbound", "socket"),
        ToSocket(Tracepoint("sk_data_ready", "socket", "inbound", "socket")) with { Delivers = true }, // the data is in the queue by then
        Followed(Tracepoint("sock_rcvqueue_full", "socket", "inbound", "socket")),
        WithValues(Tracepoint("udp_fail_queue_rcv_skb", "socket", "inbound", "socket"), "int"),
        WithValues(Followed(Tracepoint("skb_copy_datagram_iovec", "socket", "inbound", "socket")), "int") with { InProcess = true, Delivers = true }, // bytes
        Followed(Function("skb_consume_udp", "socket", "inbound", "socket", "tp:skb_copy_datagram_iovec")) with { InProcess = true, Delivers = true },
    ];
}
