// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Programs on kernels where BTF types the arguments: tp_btf, fentry and netfilter. Each SEC
 * function is a slot: user space writes a row of the catalog into .rodata, aims the slot at the
 * kernel function (bpf_program__set_attach_target) and loads only the slots in use. The verifier
 * knows .rodata, so every slot becomes code for its probe alone.
 */
#include "kernel_types.h"
#include <bpf/bpf_helpers.h>
#define FIELD(pointer, field) ((pointer)->field)
#define DIRECT_MEMORY setup.direct_memory
#include "trace_abi.h"

const volatile struct tracing_setup setup;

#include "flows.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* clang leaves types that only the ring carries out of BTF unless a global refers to them. */
const struct packet_event *packet_event_btf __attribute__((unused));
const struct header_sample *header_sample_btf __attribute__((unused));
const struct task_sample *task_sample_btf __attribute__((unused));

/* Argument n as a load with a constant offset, which the verifier demands of a context. */
#define LOAD_ARGUMENT(ctx, n)                                                                   \
	({                                                                                      \
		__u64 __value;                                                                  \
		asm volatile("%0 = *(u64 *)(%1 + " #n " * 8)" : "=r"(__value) : "r"(ctx));      \
		__value;                                                                        \
	})

static __always_inline __u64 argument(void *ctx, int position)
{
	switch (position) {
	case 0: return LOAD_ARGUMENT(ctx, 0);
	case 1: return LOAD_ARGUMENT(ctx, 1);
	case 2: return LOAD_ARGUMENT(ctx, 2);
	case 3: return LOAD_ARGUMENT(ctx, 3);
	case 4: return LOAD_ARGUMENT(ctx, 4);
	case 5: return LOAD_ARGUMENT(ctx, 5);
	default: return 0;
	}
}

static __always_inline int take_arguments(void *ctx, const volatile struct probe_desc *d,
					  struct observation *o)
{
	o->skb = (struct sk_buff *)argument(ctx, d->skb_arg);
	if (d->param_kind == PARAM_VALUE) {
		o->param = argument(ctx, d->param_arg);
		o->param2 = argument(ctx, d->param2_arg);
	} else if (d->param_kind == PARAM_HOOK) {
		struct nf_hook_state *state = (void *)argument(ctx, d->param_arg);

		if (!state)
			return 0;
		o->param = FIELD(state, hook);
		o->param2 = FIELD(state, pf);
		o->netns = FIELD(state, net)->ns.inum;
	}
	return 1;
}

/* Inlined: a frame of its own more and the filters would not fit the stack up to Linux 6.6. */
static __always_inline int observe_door_arguments(void *ctx, const volatile struct probe_desc *d)
{
	struct observation o = {};

	if (take_arguments(ctx, d, &o))
		observe(d, &o, 1);
	return 0;
}

static __noinline int observe_step_arguments(void *ctx, const volatile struct probe_desc *d)
{
	struct observation o = {};

	if (d->role == ROLE_FLOW)
		observe_flow(d, (void *)argument(ctx, d->param_arg), argument(ctx, d->param2_arg));
	else if (d->role == ROLE_COUNT || take_arguments(ctx, d, &o))
		observe(d, &o, 0);
	return 0;
}

#define SLOT(section, kind, n, place)                                                           \
	SEC(section) int kind##_slot_##n(void *ctx)                                             \
	{                                                                                       \
		return observe_##place##_arguments(ctx, &setup.kind##_slots[n]);                      \
	}
#include "slots.h"

/* BPF_PROG_TYPE_NETFILTER (Linux 6.4): libbpf 1.1 does not know the section, so the type and the
 * attach type are set by hand; links are made per namespace (src/Node/Kernel/NetfilterLink.cs). */
#define NETFILTER_SLOT(n, can_be_door)                                                                       \
	SEC("netfilter") int netfilter_slot_##n(struct bpf_nf_ctx *ctx)                         \
	{                                                                                       \
		const struct nf_hook_state *state = ctx->state;                                 \
		struct observation o = {                                                        \
			.skb = ctx->skb,                                                        \
			.param = state->hook,                                                   \
			.param2 = state->pf,                                                    \
			.netns = state->net->ns.inum,                                           \
		};                                                                              \
		observe(&setup.netfilter_slots[n], &o, can_be_door);                                             \
		return NF_ACCEPT;                                                               \
	}
NETFILTER_SLOT(0, 1)
NETFILTER_SLOT(1, 1)
NETFILTER_SLOT(2, 0)
NETFILTER_SLOT(3, 0)
NETFILTER_SLOT(4, 0)
NETFILTER_SLOT(5, 0)
NETFILTER_SLOT(6, 0)
NETFILTER_SLOT(7, 0)
NETFILTER_SLOT(8, 0)
NETFILTER_SLOT(9, 0)
