/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The table of remembered packets: four ways a bucket, so that a look-up is one inlined array
 * access and never takes a lock (a hash map's update costs some 100 ns, this some 10). Two CPUs
 * that claim the same way are told apart by compare-and-swap on the address.
 */
#ifndef TRACKED_SKBS_BPF_H
#define TRACKED_SKBS_BPF_H

#include "maps.bpf.h"

/* An eviction of a packet seen less than this ago (units of 16.8 ms: 5 s) counts as a loss. */
#define TRACK_YOUNG 298

static __always_inline __u16 track_stamp(__u64 now_ns)
{
	return now_ns >> 24;
}

static __always_inline struct tracked_bucket *track_bucket(__u64 skb_addr)
{
	/* skbs come from 256-byte slab objects: the low 8 bits say nothing. Fibonacci hashing. */
	__u32 index = ((skb_addr >> 6) * 0x9E3779B97F4A7C15ULL) >> (64 - 15);

	_Static_assert(TRACK_BUCKETS == 1 << 15, "the shift above yields TRACK_BUCKETS values");
	return bpf_map_lookup_elem(&tracked_skbs, &index);
}

static __always_inline struct tracked_skb *track_find(__u64 skb_addr)
{
	struct tracked_bucket *bucket = track_bucket(skb_addr);

	if (!bucket)
		return 0;
	if (bucket->way[0].skb_addr == skb_addr)
		return &bucket->way[0];
	if (bucket->way[1].skb_addr == skb_addr)
		return &bucket->way[1];
	if (bucket->way[2].skb_addr == skb_addr)
		return &bucket->way[2];
	if (bucket->way[3].skb_addr == skb_addr)
		return &bucket->way[3];
	return 0;
}

/* A way for a new packet: a free one, else the one not touched for longest. */
static __always_inline struct tracked_skb *track_claim(__u64 skb_addr, __u64 now_ns,
						       struct cpu_counters *count)
{
	struct tracked_bucket *bucket = track_bucket(skb_addr);
	__u16 now = track_stamp(now_ns);
	__u16 oldest_age = 0;
	struct tracked_skb *oldest;
	__u64 previous;

	if (!bucket)
		return 0;
	oldest = &bucket->way[0];
#pragma unroll
	for (int i = 0; i < TRACK_WAYS; i++) {
		struct tracked_skb *way = &bucket->way[i];
		__u16 age = now - way->stamp;

		if (!way->skb_addr && !__sync_val_compare_and_swap(&way->skb_addr, 0, skb_addr))
			return way;
		if (age > oldest_age) {
			oldest_age = age;
			oldest = way;
		}
	}
	previous = oldest->skb_addr;
	if (oldest_age < TRACK_YOUNG && oldest->stage != TRACK_LEFT)
		__sync_fetch_and_add(&count->evicted, 1);
	if (__sync_val_compare_and_swap(&oldest->skb_addr, previous, skb_addr) != previous) {
		__sync_fetch_and_add(&count->evicted, 1);
		return 0;
	}
	return oldest;
}

static __always_inline void track_forget(struct tracked_skb *known)
{
	if (known)
		known->skb_addr = 0;
}

#endif
