// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The same body behind kprobe and kprobe.multi, where arguments are registers and the verifier
 * knows no types: fields are read by bpf_probe_read_kernel(). One program serves every function;
 * the attach cookie is the row of the catalog.
 */
#include "kernel_types.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#define FIELD(pointer, field) BPF_CORE_READ(pointer, field)
#define DIRECT_MEMORY 0
#include "observe.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

const volatile struct probe_desc kprobe_descs[MAX_PROBES];

/* clang leaves types that only the ring carries out of BTF unless a global refers to them. */
const struct packet_event *packet_event_btf __attribute__((unused));
const struct header_sample *header_sample_btf __attribute__((unused));
const struct task_sample *task_sample_btf __attribute__((unused));

static __always_inline __u64 argument(const struct pt_regs *ctx, int position)
{
	switch (position) {
	case 0: return ctx->di;
	case 1: return ctx->si;
	case 2: return ctx->dx;
	case 3: return ctx->cx;
	case 4: return ctx->r8;
	case 5: return ctx->r9;
	default: return 0;
	}
}

static __noinline int observe_registers(struct pt_regs *ctx)
{
	__u64 cookie = bpf_get_attach_cookie(ctx);
	const volatile struct probe_desc *d;
	struct observation o = {};

	if (cookie >= MAX_PROBES)
		return 0;
	d = &kprobe_descs[cookie];
	o.skb = (struct sk_buff *)argument(ctx, d->skb_arg);
	if (d->param_kind == PARAM_VALUE) {
		o.param = argument(ctx, d->param_arg);
		o.param2 = argument(ctx, d->param2_arg);
	} else if (d->param_kind == PARAM_HOOK) {
		struct nf_hook_state *state = (void *)argument(ctx, d->param_arg);

		o.param = BPF_CORE_READ(state, hook);
		o.param2 = BPF_CORE_READ(state, pf);
		o.netns = BPF_CORE_READ(state, net, ns.inum);
	}
	observe(d, &o, 1);
	return 0;
}

SEC("kprobe")
int observe_kprobe(struct pt_regs *ctx)
{
	return observe_registers(ctx);
}

SEC("kprobe.multi")
int observe_kprobe_multi(struct pt_regs *ctx)
{
	return observe_registers(ctx);
}
