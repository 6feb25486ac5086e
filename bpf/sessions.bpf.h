/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Which sessions want a packet: asked at the doors only, the answer is kept with the packet. */
#ifndef SESSIONS_BPF_H
#define SESSIONS_BPF_H

#include "sample.bpf.h"
#include "filter.bpf.h"

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
 * A packet comes to four doors in a row (netif_rx and netif_receive_skb; net_dev_queue and
 * net_dev_start_xmit), and between them hardly more than its TTL changes. The filters' answer
 * depends on nothing but the parts of the question that are compared here, so the last one on this
 * CPU still holds: nothing is remembered of a packet or an address.
 */
static __always_inline int was_asked(struct candidate *c)
{
	const __u64 *fresh = (const __u64 *)&c->fresh;
	const __u64 *asked = (const __u64 *)&c->asked;
	/* By generation: a new filter's parts are not taken for an old one's question. */
	__u32 index = c->fresh.filter_generation & (FILTER_READS - 1);
	const __u64 *reads = bpf_map_lookup_elem(&filter_reads, &index);
	/* Behind NAT the answer depends on what conntrack holds, too: only the very same packet will do. */
	__u64 whole = c->fresh.conntrack ? ~0ULL : 0, differs = 0;

	if (!reads)
		return 0;
#pragma unroll
	for (int i = 0; i < sizeof(struct question) / 8; i++)
		differs |= (asked[i] ^ fresh[i]) & (reads[i] | whole);
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

/* Of the only bit that is set. clang 14 has no __builtin_ctzll() for BPF: it crashes. */
static __always_inline __u32 bit_number(__u64 bit)
{
	return !!(bit & 0xffffffff00000000ULL) << 5 | !!(bit & 0xffff0000ffff0000ULL) << 4 |
	       !!(bit & 0xff00ff00ff00ff00ULL) << 3 | !!(bit & 0xf0f0f0f0f0f0f0f0ULL) << 2 |
	       !!(bit & 0xccccccccccccccccULL) << 1 | !!(bit & 0xaaaaaaaaaaaaaaaaULL);
}

/* Bits of the sessions that want the packet. Global: verified once, called before and after NAT. */
__noinline __u64 wanted_by(struct candidate *c, __u64 sessions)
{
	if (!c)
		return 0;
	c->wanted = 0;
	if (sessions && !(sessions & (sessions - 1))) {	/* one: a loop costs more than its question */
		c->session = bit_number(sessions);
		c->remaining = 1;
		ask_session(0, &c);
		return c->wanted;
	}
	c->remaining = sessions;
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
