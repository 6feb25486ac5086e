/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What a kprobe's registers hold (x86-64): the function's arguments by position. */
#ifndef REGISTERS_BPF_H
#define REGISTERS_BPF_H

#include "kernel_types.h"

/*
 * A load with a constant offset, which the verifier demands of a context: left to itself, clang
 * computes the offset first and loads once ("dereference of modified ctx ptr").
 */
#define LOAD_REGISTER(ctx, name)                                                                \
	({                                                                                      \
		__u64 __value;                                                                  \
		asm volatile("%0 = *(u64 *)(%1 + %2)"                                           \
			     : "=r"(__value)                                                    \
			     : "r"(ctx), "i"(__builtin_offsetof(struct pt_regs, name)));        \
		__value;                                                                        \
	})

static __always_inline __u64 register_argument(const struct pt_regs *ctx, int position)
{
	switch (position) {
	case 0: return LOAD_REGISTER(ctx, di);
	case 1: return LOAD_REGISTER(ctx, si);
	case 2: return LOAD_REGISTER(ctx, dx);
	case 3: return LOAD_REGISTER(ctx, cx);
	case 4: return LOAD_REGISTER(ctx, r8);
	case 5: return LOAD_REGISTER(ctx, r9);
	default: return 0;
	}
}

#endif
