/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The kernel half of a filter: interprets a session's filter nodes (trace_abi.h) over a header
 * sample. The nodes are data in a map, so a filter changes without touching any program.
 * src/Node/Kernel/Filter/FilterEvaluator.cs gives the same answers in user space.
 *
 * What it costs beside everything else: bench/whole, its rows with a filter (docs/performance.md).
 * Two choices below were made by measuring, with a harness that is not kept here (a raw
 * tracepoint under BPF_PROG_TEST_RUN, 6.18): the first nodes in line and two per round of
 * bpf_loop, because a round costs more than a node; and branch-free arithmetic with global
 * functions, because the verifier's work doubles with each branch.
 */
#ifndef FILTER_BPF_H
#define FILTER_BPF_H

#include "maps.bpf.h"
#include <bpf/bpf_endian.h>

#define NODES_INLINE	4	/* nodes run before bpf_loop is needed: most filters end within */
#define NODES_PER_CALL	2	/* nodes per round of bpf_loop: a call and return cost more than a node */
#define FILTER_WORDS	16	/* classic BPF's scratch memory M[] */
#define SAMPLE_WORDS	(SAMPLE_LONG / 4)
#define FILTER_REJECT	(1ULL << 32)

/*
 * Always zero, but the verifier does not know. Up to 6.6 it checks a bpf_loop callback for its
 * first round only: a constant stored in the context would be taken for the value of every
 * round, and branches for other values removed as dead code.
 */
static volatile __u32 filter_zero;

struct filter_memory {
	__u32 word[FILTER_WORDS];
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
	__u32 a;
	__u32 x;
	struct filter_memory *memory;
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

/*
 * Loads that do not read the packet: both registers in, both out (A in the upper half). Global,
 * like the next: verified once, not on each path that leads here.
 */
__noinline __u64 filter_load_word(struct filter_memory *memory, __u32 kind, __u64 k, __u64 registers,
				  __u32 frame_length)
{
	__u32 a = registers >> 32, x = registers, value = k;

	if (!memory)
		return 0;
	HOLD(k, FILTER_WORDS - 1);
	switch (kind) {
	case LOAD_IMM:
		a = value;
		break;
	case LOAD_LEN:
		a = frame_length;
		break;
	case LOAD_MEM:
		a = memory->word[k];
		break;
	case LOAD_X_IMM:
		x = value;
		break;
	case LOAD_X_LEN:
		x = frame_length;
		break;
	case LOAD_X_MEM:
		x = memory->word[k];
		break;
	case LOAD_TAX:
		x = a;
		break;
	case LOAD_TXA:
		a = x;
		break;
	case LOAD_ST:
		memory->word[k] = a;
		break;
	case LOAD_STX:
		memory->word[k] = x;
		break;
	}
	return (__u64)a << 32 | x;
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

/* One node: 0 = go on with *next, 1 = run->match is the answer. */
static __always_inline int run_node(struct filter_run *run, __u32 *next, __u32 *reg_a,
				    __u32 *reg_x)
{
	__u32 index = run->first + *next;
	struct filter_node *node;
	__u64 kind, operand, a, holds;

	if (*next >= run->count)
		return 1;
	node = bpf_map_lookup_elem(&filter_nodes, &index);
	if (!node)
		return 1;

	kind = node->load;
	if (kind - 1 < LOAD_IND4) {
		__u64 indirect = below(LOAD_ABS4, kind);
		__u64 offset = node->load_k + (*reg_x & -indirect);
		__u64 bytes = 1ULL << (kind - LOAD_ABS1 - 3 * indirect);

		if (offset + bytes > run->valid)
			return 1;
		*reg_a = load_packet(run->sample, offset, bytes);
	} else if (kind == LOAD_X_MSH) {
		if (node->load_k >= run->valid)
			return 1;
		*reg_x = 4 * (load_packet(run->sample, node->load_k, 1) & 0xf);
	} else if (kind != LOAD_NONE) {
		__u64 registers = filter_load_word(run->memory, kind, node->load_k,
						   (__u64)*reg_a << 32 | *reg_x, run->frame_length);

		*reg_a = registers >> 32;
		*reg_x = registers;
	}
	a = *reg_a;

	kind = node->alu;
	if (kind != ALU_NONE) {
		operand = node->alu_x ? *reg_x : node->alu_k;
		if (kind == ALU_AND) {
			a &= operand;
		} else {
			a = filter_compute(kind, a, operand);
			if (a >= FILTER_REJECT)
				return 1;
		}
		*reg_a = a;
	}

	kind = node->test;
	if (kind == TEST_NONE) {
		(*next)++;
		return 0;
	}
	if (kind >= TEST_RET_K) {
		run->match = kind == TEST_RET_K ? node->test_k : a;
		return 1;
	}
	operand = node->test_x ? *reg_x : node->test_k;
	/* All answers at once, each at its bit: as fast as a switch, a third less for the verifier. */
	holds = 1 << TEST_JA | (below(a, operand) ^ 1) << TEST_GE | below(operand, a) << TEST_GT |
		below(a ^ operand, 1) << TEST_EQ | below(0, a & operand) << TEST_SET;
	holds = holds >> kind & 1;
	*next = node->jf ^ ((node->jt ^ node->jf) & -holds);
	return 0;
}

/* Up to so many nodes, the registers kept out of memory; 1 = done. */
static __always_inline int run_some(struct filter_run *run, int nodes)
{
	__u32 next = run->next, a = run->a, x = run->x;

#pragma clang loop unroll(disable)
	for (int i = 0; i < nodes; i++) {
		if (run_node(run, &next, &a, &x))
			return 1;
	}
	run->next = next;
	run->a = a;
	run->x = x;
	return 0;
}

static long run_nodes(__u64 round, void *context)
{
	struct filter_run *run = context;

	return run_some(run, NODES_PER_CALL);
}

/*
 * Does the packet match the filter of these nodes? No nodes: every packet. sample: SAMPLE_LONG
 * readable bytes, aligned to four, of which the first valid ones are the packet's.
 */
static __always_inline __u32 filter_matches(const void *sample, struct filter_memory *memory,
					    __u32 valid, __u32 frame_length, __u32 first,
					    __u32 count)
{
	__u32 zero = filter_zero;
	struct filter_run run = {
		.sample = sample,
		.memory = memory,
		.next = zero,
		.first = first,
		.count = count,
		.valid = valid,
		.frame_length = frame_length,
		.match = zero,
		.a = zero,
		.x = zero,
	};

	if (!count)
		return 1;
	for (int i = 0; i < FILTER_WORDS; i++)
		memory->word[i] = zero;
	if (!run_some(&run, NODES_INLINE))
		bpf_loop(MAX_FILTER_NODES / NODES_PER_CALL, run_nodes, &run, 0);
	return run.match != 0;
}

#endif
