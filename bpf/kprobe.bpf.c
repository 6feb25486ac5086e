// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The same body behind kprobe and kprobe.multi, where arguments are registers and the verifier
 * knows no types: fields are read by bpf_probe_read_kernel(). One program serves every function
 * that is no door; the attach cookie is the row of the catalog. Doors have a program each, whose
 * row the verifier knows: the filters once with every role open cost it 450,000 instructions.
 */
#include "kernel_types.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
/* Through a local: BPF_CORE_READ would ask the kernel's BTF for the members of `pointer` itself, too. */
#define FIELD(pointer, field)                                                                   \
	({                                                                                      \
		typeof(pointer) __from = (pointer);                                             \
		BPF_CORE_READ(__from, field);                                                   \
	})
#define DIRECT_MEMORY 0
#include "flows.bpf.h"
#include "registers.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* By row of the catalog, then by door. */
const volatile struct probe_desc kprobe_descs[MAX_PROBES + FENTRY_DOORS];

/* clang leaves types that only the ring carries out of BTF unless a global refers to them. */
const struct packet_event *packet_event_btf __attribute__((unused));
const struct header_sample *header_sample_btf __attribute__((unused));
const struct task_sample *task_sample_btf __attribute__((unused));

static __always_inline int observe_registers(struct pt_regs *ctx, const volatile struct probe_desc *d,
					     const int can_be_door)
{
	struct observation o = {};

	o.skb = (struct sk_buff *)register_argument(ctx, d->skb_arg);
	if (d->param_kind == PARAM_VALUE) {
		o.param = register_argument(ctx, d->param_arg);
		o.param2 = register_argument(ctx, d->param2_arg);
	} else if (d->param_kind == PARAM_HOOK) {
		struct nf_hook_state *state = (void *)register_argument(ctx, d->param_arg);

		o.param = BPF_CORE_READ(state, hook);
		o.param2 = BPF_CORE_READ(state, pf);
		o.netns = BPF_CORE_READ(state, net, ns.inum);
	}
	observe(d, &o, can_be_door);
	return 0;
}

static __noinline int observe_step(struct pt_regs *ctx)
{
	__u64 cookie = bpf_get_attach_cookie(ctx);

	const volatile struct probe_desc *d;

	if (cookie >= MAX_PROBES)
		return 0;
	d = &kprobe_descs[cookie];
	if (d->role == ROLE_FLOW) {
		observe_flow(d, (void *)register_argument(ctx, d->param_arg), register_argument(ctx, d->param2_arg));
		return 0;
	}
	return observe_registers(ctx, d, 0);
}

SEC("kprobe")
int observe_kprobe(struct pt_regs *ctx)
{
	return observe_step(ctx);
}

SEC("kprobe.multi")
int observe_kprobe_multi(struct pt_regs *ctx)
{
	return observe_step(ctx);
}

#define DOOR(n)                                                                                 \
	SEC("kprobe") int observe_kprobe_door_##n(struct pt_regs *ctx)                          \
	{                                                                                       \
		return observe_registers(ctx, &kprobe_descs[MAX_PROBES + n], 1);                \
	}                                                                                       \
	SEC("kprobe.multi") int observe_kprobe_multi_door_##n(struct pt_regs *ctx)              \
	{                                                                                       \
		return observe_registers(ctx, &kprobe_descs[MAX_PROBES + n], 1);                \
	}
DOOR(0)
DOOR(1)
DOOR(2)
DOOR(3)
DOOR(4)
_Static_assert(FENTRY_DOORS == 5, "one DOOR() each");
