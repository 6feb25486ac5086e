/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Every map of the kernel half. Both objects declare them; the second re-uses the first's. */
#ifndef MAPS_BPF_H
#define MAPS_BPF_H

#include "kernel_types.h"
#include "trace_abi.h"
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 32 * 1024 * 1024);	/* bytes; --ring-mb sets it before load */
} events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct control);
} control SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MAX_SESSIONS);
	__type(key, __u32);
	__type(value, struct session_filter);
} session_filters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MAX_FILTER_NODES);
	__type(key, __u32);
	__type(value, struct filter_node);
} filter_nodes SEC(".maps");

/* What the filters of a generation look at, written before control.filter_generation is raised to it. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, FILTER_READS);
	__type(key, __u32);
	__type(value, struct question);
} filter_reads SEC(".maps");

/*
 * What is remembered of a packet between its door and its end. A packet that is not wanted is
 * never remembered: a stale "no" on a re-used address would hide packets.
 */
enum track_stage {
	TRACK_INSIDE = 0,	/* came in by a device */
	TRACK_QUEUED = 1,	/* net_dev_queue was seen: the header goes out as it was there */
	TRACK_LEFT = 2,		/* net_dev_start_xmit was seen */
	TRACK_LOCAL = 3,	/* left a socket */
};

struct tracked_skb {
	__u64 skb_addr;		/* 0 = free */
	__u64 session_mask;
	__u32 netns;
	__u32 ifindex;
	__u32 digest;		/* of what stacked devices do not change */
	__u16 stamp;		/* 16.8 ms units of the clock, wraps after 18 minutes */
	__u8 stage;		/* enum track_stage */
	__u8 pad;
};

struct tracked_bucket {
	struct tracked_skb way[TRACK_WAYS];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, TRACK_BUCKETS);
	__type(key, __u32);
	__type(value, struct tracked_bucket);
} tracked_skbs SEC(".maps");

#define REFUSED_PACKET 1	/* no address: the CPU works on a packet that no session wants */

/* The packet that a CPU worked on last, while it certainly still does; 0 = not known. */
struct current_packet {
	__u64 skb_addr;
	__u64 pad[7];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MAX_CPUS);
	__type(key, __u32);
	__type(value, struct current_packet);
} current_packets SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MAX_CPUS);
	__type(key, __u32);
	__type(value, struct cpu_counters);
} counters SEC(".maps");

/* Hits of the probes that have no packet to show: nothing else tells them. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MAX_PROBES);
	__type(key, __u32);
	__type(value, __u64);
} probe_hits SEC(".maps");

#endif
