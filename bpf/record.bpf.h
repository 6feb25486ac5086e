/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What every program that writes records shares: its CPU's counters and packet, and the way out. */
#ifndef RECORD_BPF_H
#define RECORD_BPF_H

#include "maps.bpf.h"

static __always_inline struct cpu_counters *my_counters(__u32 cpu)
{
	__u32 index = cpu & (MAX_CPUS - 1);

	return bpf_map_lookup_elem(&counters, &index);
}

static __always_inline void remember_current(__u32 cpu, __u64 skb_addr)
{
	__u32 index = cpu & (MAX_CPUS - 1);
	struct current_packet *current = bpf_map_lookup_elem(&current_packets, &index);

	if (current)
		current->skb_addr = skb_addr;
}

static __always_inline void record_submit(void *record, const struct control *ctl,
					  const struct cpu_counters *count)
{
	__u64 flags = BPF_RB_NO_WAKEUP;

	/* The reader polls; it is woken only when it may be too late otherwise. */
	if ((count->attempted & 63) == 0 &&
	    bpf_ringbuf_query(&events, BPF_RB_AVAIL_DATA) > ctl->wake_backlog)
		flags = BPF_RB_FORCE_WAKEUP;
	bpf_ringbuf_submit(record, flags);
}

#endif
