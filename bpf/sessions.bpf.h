/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Which sessions want a packet: asked at the doors only, the answer is kept with the packet. */
#ifndef SESSIONS_BPF_H
#define SESSIONS_BPF_H

#include "sample.bpf.h"
#include "filter.bpf.h"

/* A packet at a door: all that the filters' answer depends on. No padding. */
struct question {
	__u64 sessions;
	__u64 conntrack;
	__u32 filter_generation;
	__u32 frame_length;
	__u32 netns;
	__u32 ifindex;
	__u32 mark;
	__u32 valid;
	__u8 bytes[SAMPLE_LONG];
};

struct candidate {
	struct question fresh;
	struct question asked;	/* what `answer` is for */
	__u64 answer;
	__u8 bytes[SAMPLE_LONG];	/* what the filters read: undo_nat() writes to it */
	struct conntrack_tuple tuple;	/* undo_nat()'s */
	__u64 session;		/* the next one to ask */
	__u64 remaining;	/* sessions not asked yet, shifted down to the next one */
	__u64 wanted;
	struct filter_memory memory;
};

/*
 * Candidates do not fit the stack beside the interpreter (512 bytes for all frames together up to
 * Linux 6.12). Per CPU there are a few, since a program can be interrupted by another one.
 */
#define CANDIDATES 4

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MAX_CPUS * CANDIDATES);
	__type(key, __u32);
	__type(value, struct candidate);
} candidates SEC(".maps");

/* Bit n: candidate n of that CPU is in use. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MAX_CPUS);
	__type(key, __u32);
	__type(value, __u64);
} candidates_in_use SEC(".maps");

static __always_inline struct candidate *candidate_take(__u32 cpu, __u64 *bit)
{
	__u32 index = cpu & (MAX_CPUS - 1);
	__u64 *in_use = bpf_map_lookup_elem(&candidates_in_use, &index);

	if (!in_use)
		return 0;
	index *= CANDIDATES;
	for (*bit = 1; *bit < 1 << CANDIDATES; *bit <<= 1, index++) {
		if (!(__sync_fetch_and_or(in_use, *bit) & *bit))
			return bpf_map_lookup_elem(&candidates, &index);
	}
	return 0;
}

static __always_inline void candidate_give_back(__u32 cpu, __u64 bit)
{
	__u32 index = cpu & (MAX_CPUS - 1);
	__u64 *in_use = bpf_map_lookup_elem(&candidates_in_use, &index);

	if (in_use)
		__sync_fetch_and_and(in_use, ~bit);
}

/*
 * A packet comes to two doors in a row unchanged (netif_rx and netif_receive_skb; net_dev_queue
 * and net_dev_start_xmit). The filters' answer depends on nothing but what is compared here, all
 * of it, so the last one on this CPU still holds: nothing is remembered of a packet or an address.
 */
static __always_inline int was_asked(struct candidate *c)
{
	const __u64 *fresh = (const __u64 *)&c->fresh;
	const __u64 *asked = (const __u64 *)&c->asked;
	__u64 differs = 0;

#pragma unroll
	for (int i = 0; i < sizeof(struct question) / 8; i++)
		differs |= asked[i] ^ fresh[i];
	if (!differs)
		return 1;
	c->asked = c->fresh;
	__builtin_memcpy(c->bytes, c->fresh.bytes, SAMPLE_LONG);
	return 0;
}

/* Global, so that the verifier looks at the interpreter once a program, not on every path to it. */
__noinline __u32 candidate_matches(struct candidate *c, __u32 first_node, __u32 node_count)
{
	if (!c)
		return 0;
	return filter_matches(c->bytes, &c->memory, c->asked.valid,
			      c->asked.frame_length, first_node, node_count);
}

/* bpf_loop() takes pointers to the stack only: what it gets there is where the candidate is. */
static long ask_session(__u32 unused, struct candidate **cell)
{
	struct candidate *c = *cell;
	__u32 session = c->session;
	const struct question *q = &c->asked;
	struct session_filter *want;
	__u64 nodes;

	c->session = session + 1;
	if (!(c->remaining & 1)) {
		c->remaining >>= 1;
		return c->remaining == 0;
	}
	c->remaining >>= 1;
	want = bpf_map_lookup_elem(&session_filters, &session);
	if (!want)
		return 1;
	/* Both halves in one load: user space replaces them in one store. */
	nodes = *(volatile __u64 *)&want->first_node;
	if ((!want->netns || want->netns == q->netns) &&
	    (!want->ifindex || want->ifindex == q->ifindex) &&
	    (q->mark & want->mark_mask) == want->mark &&
	    (!(nodes >> 32) || candidate_matches(c, nodes, nodes >> 32)))
		c->wanted |= 1ULL << (session & 63);
	return c->remaining == 0;
}

/* Bits of the sessions that want the packet. Global: verified once, called before and after NAT. */
__noinline __u64 wanted_by(struct candidate *c, __u64 sessions)
{
	if (!c)
		return 0;
	c->remaining = sessions;
	c->wanted = 0;
	c->session = 0;
	bpf_loop(MAX_SESSIONS, ask_session, &c, 0);
	return c->wanted;
}

/*
 * The candidate as it looked before NAT, so that a filter on either side of it finds the packet.
 * Returns 0 where conntrack does not know the packet or left it alone. IPv4 without options and
 * IPv6 without extension headers: others keep what they have.
 */
static __always_inline int undo_nat(struct sk_buff *skb, const struct frame *f,
				    struct candidate *c)
{
	unsigned long nfct = FIELD(skb, _nfct);
	struct nf_conn *conn = (void *)(nfct & ~NFCT_INFOMASK);
	struct conntrack_tuple *tuple = &c->tuple;
	unsigned long status = 0;
	__u32 at = f->has_tag ? ETHERNET + 4 : ETHERNET;
	__u32 direction = (nfct & NFCT_INFOMASK) >= IP_CT_IS_REPLY;
	__u32 hash_node;

	if (!conn || !bpf_core_field_exists(struct nf_conn, status))
		return 0;
	bpf_core_read(&status, sizeof(status), &conn->status);
	if (!(status & IPS_NAT_MASK))
		return 0;
	/* struct nf_conntrack_tuple_hash: a hlist_nulls_node (two pointers), then the tuple */
	hash_node = bpf_core_field_offset(struct nf_conn, tuplehash) +
		    direction * (2 * sizeof(void *) + sizeof(struct conntrack_tuple)) +
		    2 * sizeof(void *);
	if (bpf_probe_read_kernel(tuple, sizeof(*tuple), (void *)conn + hash_node))
		return 0;
	if (f->protocol == bpf_htons(ETH_P_IP)) {
		__builtin_memcpy(c->bytes + at + 12, tuple->src_address, 4);
		__builtin_memcpy(c->bytes + at + 16, tuple->dst_address, 4);
		if (c->bytes[at] != 0x45)
			return 1;
		at += 20;
	} else if (f->protocol == bpf_htons(ETH_P_IPV6)) {
		__builtin_memcpy(c->bytes + at + 8, tuple->src_address, 16);
		__builtin_memcpy(c->bytes + at + 24, tuple->dst_address, 16);
		at += 40;
	} else {
		return 0;
	}
	if (tuple->protonum == 6 || tuple->protonum == 17) {
		__builtin_memcpy(c->bytes + at, &tuple->src_port, 2);
		__builtin_memcpy(c->bytes + at + 2, &tuple->dst_port, 2);
	}
	return 1;
}

#endif
