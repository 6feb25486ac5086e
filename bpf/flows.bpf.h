/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Routing look-ups have a flow but no packet, a socket that is told of data has neither. The CPU's
 * current packet is taken for it only when it is certain: the packet's own addresses and the device
 * it came in by are the flow's; its protocol and port are the socket's. Else the hit is counted.
 */
#ifndef FLOWS_BPF_H
#define FLOWS_BPF_H

#include "observe.bpf.h"

#define LOOPBACK_IFINDEX 1	/* what a look-up for a local packet says of its origin */

struct flowi6___addresses {
	struct flowi_common __fl_common;
	struct in6_addr daddr;
	struct in6_addr saddr;
} __attribute__((preserve_access_index));

static __always_inline int same_flow4(const __u8 *ip, const struct flowi4 *flow)
{
	return *(__be32 *)(ip + 12) == BPF_CORE_READ(flow, saddr) &&
	       *(__be32 *)(ip + 16) == BPF_CORE_READ(flow, daddr);
}

static __always_inline int same_flow6(const __u8 *ip, const struct flowi6___addresses *flow)
{
	__u64 addresses[4];

	bpf_core_read(&addresses[0], 16, &flow->saddr);
	bpf_core_read(&addresses[2], 16, &flow->daddr);
	return *(__u64 *)(ip + 8) == addresses[0] && *(__u64 *)(ip + 16) == addresses[1] &&
	       *(__u64 *)(ip + 24) == addresses[2] && *(__u64 *)(ip + 32) == addresses[3];
}

/* flow4 and flow6 both begin with the common part. */
static __always_inline int same_origin(const struct tracked_skb *known, const struct flowi4 *flow)
{
	__u32 iif = BPF_CORE_READ(flow, __fl_common.flowic_iif);

	return known->stage == TRACK_LOCAL ? iif <= LOOPBACK_IFINDEX : iif == known->ifindex;
}

static __always_inline int same_socket(const __u8 *ip, const struct sk_buff *skb,
				       const struct sock *sk)
{
	__u8 protocol = (*ip >> 4) == 4 ? ip[9] : ip[6];
	__be16 ports[2];

	if (bpf_probe_read_kernel(ports, sizeof(ports),
				  BPF_CORE_READ(skb, head) + BPF_CORE_READ(skb, transport_header)))
		return 0;
	return protocol == BPF_CORE_READ(sk, sk_protocol) &&
	       bpf_ntohs(ports[1]) == BPF_CORE_READ(sk, __sk_common.skc_num);
}

static __always_inline void observe_flow(const volatile struct probe_desc *d, void *flow, __u64 table)
{
	__u32 zero = 0, cpu = bpf_get_smp_processor_id(), index = cpu & (MAX_CPUS - 1);
	struct control *ctl = bpf_map_lookup_elem(&control, &zero);
	struct current_packet *current = bpf_map_lookup_elem(&current_packets, &index);
	struct cpu_counters *count = my_counters(cpu);
	struct observation o = { .param = table };
	struct tracked_skb *known;
	struct sk_buff *skb;
	__u64 ip[5];
	int same;

	if (!ctl || !(ctl->all_mask | ctl->filtered_mask) || !current || !count || !flow)
		return;
	count_hit(d->probe);
	skb = (void *)current->skb_addr;
	known = skb ? track_find((__u64)skb) : 0;
	if (!known)
		return;
	if (bpf_probe_read_kernel(ip, sizeof(ip), BPF_CORE_READ(skb, head) +
						  BPF_CORE_READ(skb, network_header)))
		return;
	if (d->param_kind == PARAM_FLOW6 && table)	/* fib6_table_lookup gives the table itself */
		o.param = BPF_CORE_READ((struct fib6_table *)table, tb6_id);
	if (d->param_kind == PARAM_SOCKET)
		same = same_socket((void *)ip, skb, flow);
	else if (d->param_kind == PARAM_FLOW4)
		same = (*(__u8 *)ip >> 4) == 4 && same_origin(known, flow) &&
		       same_flow4((void *)ip, flow);
	else
		same = (*(__u8 *)ip >> 4) == 6 && same_origin(known, flow) &&
		       same_flow6((void *)ip, flow);
	if (!same) {
		__sync_fetch_and_add(&count->unattributed, 1);
		return;
	}
	__sync_fetch_and_add(&count->attempted, 1);
	struct packet_event *e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);

	if (!e) {
		__sync_fetch_and_add(&count->lost, 1);
		return;
	}
	event_fill(e, d, &o, bpf_ktime_get_ns(), cpu, known->session_mask, known->netns,
		   known->ifindex);
	e->skb_addr = (__u64)skb;
	record_submit(e, ctl, count);
}

#endif
