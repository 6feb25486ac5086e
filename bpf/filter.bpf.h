/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The kernel half of a filter: interprets a session's filter nodes (trace_abi.h) over a header
 * sample. The nodes are data in a map, so a filter changes without touching any program.
 * src/Node/Kernel/Filter/FilterEvaluator.cs gives the same answers in user space.
 */
#ifndef FILTER_BPF_H
#define FILTER_BPF_H

#include "maps.bpf.h"
#include <bpf/bpf_endian.h>

#ifndef NODES_PER_CALL
#define NODES_PER_CALL 2
#endif
#ifndef NODES_INLINE
#define NODES_INLINE 6
#endif
#define FILTER_WORDS	16	/* classic BPF's scratch memory M[] */
#define SAMPLE_WORDS	(SAMPLE_LONG / 4)
#define FILTER_REJECT	(1ULL << 32)

/*
 * Always zero, but the verifier does not know. Up to 6.6 it checks a bpf_loop callback for its
 * first round only: a constant stored in the context would be taken for the value of every
 * round, and branches for other values removed as dead code.
 */
static volatile __u32 filter_zero;

/* Registers and memory of one evaluation. */
struct filter_words {
	__u32 a;
	__u32 x;
	__u32 mem[FILTER_WORDS];
};

/* One evaluation: the state between two nodes. */
struct filter_run {
	const __u32 *sample;
	__u32 next;		/* the node to run, counted from first */
	__u32 first;
	__u32 count;
	__u32 valid;		/* bytes of sample that are the packet's */
	__u32 frame_length;
	__u32 match;		/* the answer */
	struct filter_words words;
};

/* Without it clang moves the mask away from the use, and the verifier loses the bound. */
#define HOLD(index, mask) asm volatile("%0 &= %1" : "+r"(index) : "i"(mask))

/* Keeps clang from turning arithmetic back into branches: each doubles the verifier's work. */
#define OPAQUE(value) asm volatile("" : "+r"(value))

/* 1 if a < b, else 0; both below 2^32. */
static __always_inline __u64 below(__u64 a, __u64 b)
{
	__u64 difference = a - b;

	OPAQUE(difference);
	return difference >> 63;
}

/*
 * One, two or four bytes, big endian, from any offset. The stack can only be read aligned, so
 * two words are read and what was not asked for is shifted out. The second word may wrap to
 * the first: then nothing of it was asked for, since offset + bytes <= valid.
 */
static __always_inline __u32 load_packet(const __u32 *sample, __u64 offset, __u64 bytes)
{
	__u64 word = offset >> 2, following = word + 1, both;

	HOLD(word, SAMPLE_WORDS - 1);
	HOLD(following, SAMPLE_WORDS - 1);
	both = (__u64)bpf_ntohl(sample[word]) << 32 | bpf_ntohl(sample[following]);
	return both << (8 * (offset & 3)) >> (64 - 8 * bytes);
}

/* Loads that do not read the packet. Global, like the next: verified once, not on each path. */
__noinline int filter_load_word(struct filter_words *words, __u32 kind, __u64 k, __u32 frame_length)
{
	__u32 value;

	if (!words)
		return 0;
	value = k;
	if (kind == LOAD_LEN || kind == LOAD_X_LEN)
		value = frame_length;
	HOLD(k, FILTER_WORDS - 1);
	switch (kind) {
	case LOAD_MEM:
		words->a = words->mem[k];
		break;
	case LOAD_X_MEM:
		words->x = words->mem[k];
		break;
	case LOAD_IMM:
	case LOAD_LEN:
		words->a = value;
		break;
	case LOAD_X_IMM:
	case LOAD_X_LEN:
		words->x = value;
		break;
	case LOAD_TAX:
		words->x = words->a;
		break;
	case LOAD_TXA:
		words->a = words->x;
		break;
	case LOAD_ST:
		words->mem[k] = words->a;
		break;
	case LOAD_STX:
		words->mem[k] = words->x;
		break;
	}
	return 0;
}

/* The new A, or FILTER_REJECT. */
__noinline __u64 filter_compute(__u32 kind, __u32 a, __u32 operand)
{
	switch (kind) {
	case ALU_ADD:
		return (__u32)(a + operand);
	case ALU_SUB:
		return (__u32)(a - operand);
	case ALU_MUL:
		return (__u32)(a * operand);
	case ALU_DIV:
		return operand ? a / operand : FILTER_REJECT;
	case ALU_MOD:
		return operand ? a % operand : FILTER_REJECT;
	case ALU_OR:
		return a | operand;
	case ALU_XOR:
		return a ^ operand;
	case ALU_LSH:
		return operand < 32 ? (__u32)(a << (operand & 31)) : 0;
	case ALU_RSH:
		return operand < 32 ? a >> (operand & 31) : 0;
	case ALU_NEG:
		return (__u32)-a;
	}
	return a;
}

/* One node: 0 = go on with run->next, 1 = run->match is the answer. */
static __always_inline int run_node(struct filter_run *run)
{
	__u32 index = run->first + run->next;
	struct filter_words *words = &run->words;
	struct filter_node *node;
	__u64 kind, operand, a, holds;

	if (run->next >= run->count)
		return 1;
	node = bpf_map_lookup_elem(&filter_nodes, &index);
	if (!node)
		return 1;

	kind = node->load;
	if (kind - 1 < LOAD_IND4) {
		__u64 indirect = below(LOAD_ABS4, kind);
		__u64 offset = node->load_k + (words->x & -indirect);
		__u64 bytes = 1ULL << (kind - LOAD_ABS1 - 3 * indirect);

		if (offset + bytes > run->valid)
			return 1;
		words->a = load_packet(run->sample, offset, bytes);
	} else if (kind == LOAD_X_MSH) {
		if (node->load_k >= run->valid)
			return 1;
		words->x = 4 * (load_packet(run->sample, node->load_k, 1) & 0xf);
	} else if (kind != LOAD_NONE) {
		filter_load_word(words, kind, node->load_k, run->frame_length);
	}
	a = words->a;

	kind = node->alu;
	if (kind != ALU_NONE) {
		operand = node->alu_x ? words->x : node->alu_k;
		if (kind == ALU_AND) {
			a &= operand;
		} else {
			a = filter_compute(kind, a, operand);
			if (a >= FILTER_REJECT)
				return 1;
		}
		words->a = a;
	}

	kind = node->test;
	if (kind == TEST_NONE) {
		run->next++;
		return 0;
	}
	if (kind >= TEST_RET_K) {
		run->match = kind == TEST_RET_K ? node->test_k : a;
		return 1;
	}
	operand = node->test_x ? words->x : node->test_k;
	/* All answers at once, each at its bit: cheaper than asking which one is wanted. */
	holds = 1 << TEST_JA | (below(a, operand) ^ 1) << TEST_GE | below(operand, a) << TEST_GT |
		below(a ^ operand, 1) << TEST_EQ | below(0, a & operand) << TEST_SET;
	holds = holds >> kind & 1;
	run->next = node->jf ^ ((node->jt ^ node->jf) & -holds);
	return 0;
}

/* A call and its return cost more than a node (return thunks): several nodes per call. */
static long run_nodes(__u64 round, void *context)
{
	struct filter_run *run = context;

#pragma clang loop unroll(disable)
	for (int i = 0; i < NODES_PER_CALL; i++) {
		if (run_node(run))
			return 1;
	}
	return 0;
}

/*
 * Does the packet match the filter of these nodes? No nodes: every packet. sample: SAMPLE_LONG
 * readable bytes, aligned to four, of which the first valid ones are the packet's.
 */
static __always_inline __u32 filter_matches(const void *sample, __u32 valid, __u32 frame_length,
					    __u32 first, __u32 count)
{
	__u32 zero = filter_zero;
	struct filter_run run = {
		.sample = sample,
		.next = zero,
		.first = first,
		.count = count,
		.valid = valid,
		.frame_length = frame_length,
		.match = zero,
		.words = { .a = zero, .x = zero },
	};

	if (!count)
		return 1;
	for (int i = 0; i < FILTER_WORDS; i++)
		run.words.mem[i] = zero;
#pragma clang loop unroll(disable)
	for (int i = 0; i < NODES_INLINE; i++) {
		if (run_node(&run))
			return run.match != 0;
	}
	bpf_loop(MAX_FILTER_NODES / NODES_PER_CALL, run_nodes, &run, 0);
	return run.match != 0;
}

#endif
