/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * How long a function took for a packet: noted at its entry, told at its return. A call is named by
 * the place of its frame on the kernel's stack, which nothing else has until it returns, whatever
 * interrupts it and on whichever CPU it goes on.
 */
#ifndef CALLS_BPF_H
#define CALLS_BPF_H

#include "record.bpf.h"
#include "tracked_skbs.bpf.h"

#define CALLS 1024	/* a power of two; a few a CPU are open at a time */

struct open_call {
	__u64 frame;
	__u64 skb_addr;
	__u64 entered_ns;
	__u64 pad;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, CALLS);
	__type(key, __u32);
	__type(value, struct open_call);
} open_calls SEC(".maps");

/* fentry and fexit of one call run in one trampoline and get the same context. */
static __always_inline __u64 frame_of(void *ctx)
{
	__u64 cell = 0;

	__sync_fetch_and_add(&cell, (__u64)ctx);
	return cell;
}

static __always_inline struct open_call *call_slot(__u64 frame)
{
	__u32 index = ((frame >> 3) * 0x9E3779B97F4A7C15ULL) >> (64 - 10);

	_Static_assert(CALLS == 1 << 10, "the shift above yields CALLS values");
	return bpf_map_lookup_elem(&open_calls, &index);
}

static __always_inline int call_is_wanted(const struct tracked_skb *known, __u32 netns)
{
	__u32 zero = 0;
	struct control *ctl = bpf_map_lookup_elem(&control, &zero);

	return ctl && known && known->netns == netns && (known->session_mask & ctl->verdict_mask);
}

static __always_inline void call_enter(__u64 frame, __u64 skb_addr, __u32 netns)
{
	struct cpu_counters *count = my_counters(bpf_get_smp_processor_id());
	struct open_call *call;

	if (!call_is_wanted(track_find(skb_addr), netns))
		return;
	call = call_slot(frame);
	if (!call || !count)
		return;
	if (call->frame) {
		__sync_fetch_and_add(&count->attempted, 1);
		__sync_fetch_and_add(&count->untimed, 1);
	}
	call->frame = frame;
	call->skb_addr = skb_addr;
	call->entered_ns = bpf_ktime_get_ns();
}

static __always_inline void event_begin(struct packet_event *e, __u64 skb_addr, __u64 mask,
					__u16 probe, __u32 cpu)
{
	__builtin_memset(e, 0, sizeof(*e));
	e->timestamp_ns = bpf_ktime_get_ns();
	e->skb_addr = skb_addr;
	e->session_mask = mask;
	e->netns = nft_setup.netns;
	e->probe = probe;
	e->cpu = cpu;
}

/*
 * Two calls that share a slot: the older one's time is not told, but counted (call_enter). A packet that the function gave
 * away or dropped is known no more: its drop tells what became of it.
 */
static __always_inline void call_leave(__u64 frame, __u64 result, __u16 probe)
{
	__u32 zero = 0, cpu = bpf_get_smp_processor_id();
	struct control *ctl = bpf_map_lookup_elem(&control, &zero);
	struct cpu_counters *count = my_counters(cpu);
	struct open_call *call = call_slot(frame);
	struct tracked_skb *known;
	struct packet_event *e;

	if (!ctl || !count || !call || call->frame != frame)
		return;
	call->frame = 0;
	known = track_find(call->skb_addr);
	if (!call_is_wanted(known, nft_setup.netns))
		return;
	__sync_fetch_and_add(&count->attempted, 1);
	e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);
	if (!e) {
		__sync_fetch_and_add(&count->lost, 1);
		return;
	}
	event_begin(e, call->skb_addr, known->session_mask & ctl->verdict_mask, probe, cpu);
	e->param = e->timestamp_ns - call->entered_ns;
	e->param2 = result;
	record_submit(e, ctl, count);
}

#endif
