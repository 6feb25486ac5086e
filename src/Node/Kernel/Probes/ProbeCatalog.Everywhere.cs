namespace NftCluster.Node.Kernel.Probes;

// Neighbours, bridge, copies and ends.
internal static partial class ProbeCatalog
{
    private static ProbeDefinition[] Everywhere =>
    [
        Function("arp_rcv", "neighbour", "inbound", "neighbour"),
        Function("arp_process", "neighbour", "inbound", "neighbour"),
        Function("arp_xmit", "neighbour", "outbound", "neighbour"),
        Function("ndisc_rcv", "neighbour", "inbound", "neighbour"),
        Function("ndisc_send_skb", "neighbour", "outbound", "neighbour"),
        Function("neigh_resolve_output", "neighbour", "outbound", "neighbour"),
        Function("__neigh_event_send", "neighbour", "outbound", "neighbour", "tp:neigh_event_send_done"),
        Counted(Tracepoint("neigh_create", "neighbour", "unknown", "neighbour")),
        Counted(Tracepoint("neigh_update", "neighbour", "unknown", "neighbour")),
        Counted(Tracepoint("neigh_event_send_done", "neighbour", "outbound", "neighbour")),

        InModule("bridge", Function("br_handle_frame_finish", "bridge", "inbound", "bridge")),
        InModule("bridge", Function("br_pass_frame_up", "bridge", "inbound", "bridge")),
        InModule("bridge", Function("br_forward", "bridge", "forward", "bridge")),
        InModule("bridge", Function("br_flood", "bridge", "forward", "bridge")),
        InModule("bridge", Function("br_dev_xmit", "bridge", "outbound", "bridge")),
        InModule("bridge", Function("br_dev_queue_push_xmit", "bridge", "outbound", "bridge", "tp:net_dev_queue")),
        Counted(Tracepoint("br_fdb_update", "bridge", "unknown", "bridge")),

        Function("skb_clone", "skb", "unknown", "copy"),
        Function("skb_copy", "skb", "unknown", "copy"),
        Function("__pskb_copy_fclone", "skb", "unknown", "copy"),
        Function("pskb_expand_head", "skb", "unknown", "copy"),

        WithValues(Tracepoint("kfree_skb", "skb", "unknown", "drop", ProbeRole.Drop), "void*", "skb_drop_reason"), // location, reason
        // These run before the tracepoint, which carries the end.
        WithValues(Function("kfree_skb_reason", "skb", "unknown", "drop", "tp:kfree_skb"), "skb_drop_reason"), // until 6.10
        WithValues(Function("sk_skb_reason_drop", "skb", "unknown", "drop", "tp:kfree_skb"), "skb_drop_reason"), // 6.11+
        WithValues(Function("kfree_skb_list_reason", "skb", "unknown", "drop", "tp:kfree_skb"), "skb_drop_reason"),
        Tracepoint("consume_skb", "skb", "unknown", "end", ProbeRole.Consume),
        Function("kfree_skb_partial", "skb", "unknown", "end"),

        new("trace", ProbeKind.Nft, "netfilter", "unknown", "nft") { Role = ProbeRole.Verdict, SkbArgument = null, Module = "nf_tables" },
        Return("nft_do_chain", "nf_tables"),
        Return("nf_hook_slow", module: null),
    ];
}
