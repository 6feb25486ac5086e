/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * One call of __nft_trace_packet() and what its arguments lead to; the only place that knows how
 * kernels differ:
 *
 *   up to 6.2   (info, chain, type); packet, rule and verdict are in info
 *   from 6.4    (pkt, verdict, rule, info, type); the chain stands behind its last rule
 *
 * 6.3 lies between: what is no argument there is still a field. Everything is read by
 * bpf_probe_read_kernel(): where the static key was switched on in the middle of a chain, info is
 * the stack's rubbish.
 */
#ifndef NFT_STEP_BPF_H
#define NFT_STEP_BPF_H

#include "kernel_types.h"
#include "trace_abi.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#define MAX_RULES_WALKED 1024	/* from a rule to the end of its chain */

enum {	/* enum nft_trace_types */
	NFT_TRACETYPE_POLICY = 1,
	NFT_TRACETYPE_RETURN = 2,
	NFT_TRACETYPE_RULE = 3,
};

enum {	/* verdict codes */
	NF_STOLEN = 2,
	NFT_CONTINUE = -1,
	NFT_JUMP = -3,
	NFT_GOTO = -4,
};

struct nft_call {
	struct nft_traceinfo *info;
	const struct nft_pktinfo *pkt;
	const struct nft_verdict *verdict;
	const struct nft_rule_dp *rule;
	struct nft_chain *chain;	/* 0 = not told */
	__u64 type;
};

/* A field of struct nft_rule_dp out of its first eight bytes: "bit fields in one u64" on every kernel. */
#define RULE_BITS(bits, field)                                                                  \
	(((bits) << __builtin_preserve_field_info(((struct nft_rule_dp *)0)->field,             \
						  BPF_FIELD_LSHIFT_U64)) >>                      \
	 __builtin_preserve_field_info(((struct nft_rule_dp *)0)->field, BPF_FIELD_RSHIFT_U64))

static __always_inline __u64 rule_bits(const struct nft_rule_dp *rule)
{
	__u64 bits = 0;

	bpf_probe_read_kernel(&bits, sizeof(bits), rule);
	return bits;
}

/* Fills what the kernel put into nft_traceinfo. */
static __always_inline void call_complete(struct nft_call *call)
{
	struct nft_traceinfo___before *before = (void *)call->info;

	if (!call->pkt && bpf_core_field_exists(before->pkt))
		call->pkt = BPF_CORE_READ(before, pkt);
	if (!call->verdict && bpf_core_field_exists(before->verdict))
		call->verdict = BPF_CORE_READ(before, verdict);
	if (!call->rule && bpf_core_field_exists(before->rule))
		call->rule = BPF_CORE_READ(before, rule);
}

struct walk {
	const struct nft_rule_dp *rule;
	struct nft_chain *chain;
};

static long walk_rule(__u32 unused, struct walk *walk)
{
	const struct nft_rule_dp_last *last = (const void *)walk->rule;
	__u64 bits = rule_bits(walk->rule);

	if (RULE_BITS(bits, is_last)) {
		walk->chain = BPF_CORE_READ(last, chain);
		return 1;
	}
	walk->rule = (void *)walk->rule + sizeof(bits) + RULE_BITS(bits, dlen);
	return 0;
}

/* The chain of a step; 0 where it is too far from the rule to its end. */
static __always_inline struct nft_chain *call_chain(const struct nft_call *call,
						    struct nft_base_chain *base)
{
	struct walk walk = { .rule = call->rule };

	if (call->chain)
		return call->chain;
	if (!call->rule)
		return (void *)base + bpf_core_field_offset(struct nft_base_chain, chain);
	if (bpf_core_type_exists(struct nft_rule_dp_last))
		bpf_loop(MAX_RULES_WALKED, walk_rule, &walk, 0);
	return walk.chain;
}

#endif
