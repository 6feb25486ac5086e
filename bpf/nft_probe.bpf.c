// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * nft's verdicts where functions can be probed. An unhooked chain of ours with `meta nftrace set 1`
 * has switched the kernel's static key on: from then on every matched rule, end of a chain and
 * policy, of every packet, passes __nft_trace_packet(), without a mark on any packet and without
 * netlink. nft_do_chain() and nf_hook_slow() tell how long they took.
 *
 * Names are written into each record, bounded by the kernel's own limit: a cache by address would
 * need to know when a chain goes and another takes its place.
 */
#include "kernel_types.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#define FIELD(pointer, ...)                                                                     \
	({                                                                                      \
		typeof(pointer) __from = (pointer);                                             \
		BPF_CORE_READ(__from, __VA_ARGS__);                                             \
	})
#define DIRECT_MEMORY 0
#include "tracked_skbs.bpf.h"
#include "record.bpf.h"
#include "sample.bpf.h"
#include "own_tables.bpf.h"
#include "conntrack.bpf.h"
#include "nft_step.bpf.h"
#include "registers.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

const volatile struct nft_probe_setup nft_setup;

#include "calls.bpf.h"

/* clang leaves types that only the ring carries out of BTF unless a global refers to them. */
const struct packet_event *packet_event_btf __attribute__((unused));
const struct header_sample *header_sample_btf __attribute__((unused));
const struct nft_step *nft_step_btf __attribute__((unused));
const struct nft_conntrack *nft_conntrack_btf __attribute__((unused));

/*
 * A packet that came by no door: what the host sends by ARP, what a bridge floods. With its header,
 * so that its visit begins here. Only for sessions that take every packet: no filter was asked.
 */
static __always_inline __u64 meet(struct sk_buff *skb, const struct nf_hook_state *state,
				  const struct control *ctl, struct cpu_counters *count, __u32 cpu)
{
	__u64 mask = ctl->all_mask & ctl->verdict_mask;
	struct tracked_skb *known;
	struct {
		struct packet_event event;
		struct header_sample sample;
	} *r;
	struct frame f;

	if (!mask)
		return 0;
	frame_locate(skb, ROLE_VERDICT, &f);
	known = track_claim((__u64)skb, bpf_ktime_get_ns(), count);
	if (known) {
		known->session_mask = mask;
		known->netns = nft_setup.netns;
		known->ifindex = 0;
		known->digest = 0;
		known->stamp = track_stamp(bpf_ktime_get_ns());
		known->stage = BPF_CORE_READ(state, in) ? TRACK_INSIDE : TRACK_LOCAL;
	}
	__sync_fetch_and_add(&count->attempted, 1);
	r = bpf_ringbuf_reserve(&events, sizeof(*r), 0);
	if (!r) {
		__sync_fetch_and_add(&count->lost, 1);
		return mask;
	}
	event_begin(&r->event, (__u64)skb, mask, nft_setup.probe, cpu);
	r->event.length = FIELD(skb, len);
	r->event.mark = FIELD(skb, mark);
	r->event.flags = EVENT_SAMPLE;
	r->event.sample_size = SAMPLE_LONG;
	r->sample.head = (__u64)FIELD(skb, head);
	r->sample.frame_length = f.frame_length;
	r->sample.valid = f.valid;
	r->sample.gso_segs = f.gso_segs;
	frame_copy(&f, r->sample.bytes, SAMPLE_LONG);
	record_submit(r, ctl, count);
	return mask;
}

/* Whoever wants this packet's verdicts; begins its visit where it is unknown. */
static __always_inline __u64 wanted_by(struct sk_buff *skb, const struct nf_hook_state *state,
				       int stolen, const struct control *ctl,
				       struct cpu_counters *count, __u32 cpu)
{
	struct tracked_skb *known = track_find((__u64)skb);

	if (known && known->netns == nft_setup.netns)
		return known->session_mask & ctl->verdict_mask;
	return stolen ? 0 : meet(skb, state, ctl, count, cpu);
}

static __always_inline __u32 ifindex_of(struct net_device *dev)
{
	return dev ? BPF_CORE_READ(dev, ifindex) : 0;
}

static __always_inline void step_fill(struct nft_step *step, const struct nft_call *call,
				      const struct nf_hook_state *state, struct nft_chain *chain,
				      struct nft_base_chain *base, __s32 code, int stolen)
{
	__u64 bits = call->rule ? rule_bits(call->rule) : 0;
	struct nft_table *table = BPF_CORE_READ(chain, table);
	/* The end of a chain, as both generations of kernels tell it. */
	int is_end = !call->rule || RULE_BITS(bits, is_last) ||
		     (call->type == NFT_TRACETYPE_RETURN && code == NFT_CONTINUE);

	step->chain_addr = (__u64)chain;
	step->rule_addr = is_end ? 0 : (__u64)call->rule;
	step->rule_handle = is_end ? 0 : RULE_BITS(bits, handle);
	step->code = code;
	step->priority = BPF_CORE_READ(base, ops.priority);
	step->iif = ifindex_of(BPF_CORE_READ(state, in));
	step->oif = ifindex_of(BPF_CORE_READ(state, out));
	step->family = BPF_CORE_READ_BITFIELD_PROBED(table, family);
	step->pf = BPF_CORE_READ(state, pf);
	step->hook = BPF_CORE_READ(state, hook);
	step->type = call->type;
	step->chain_type = BPF_CORE_READ(base, type, type);
	step->stolen = stolen;
}

/* Nonzero where the name did not certainly fit. */
#define READ_NAME(to, from) (bpf_probe_read_kernel_str(to, sizeof(to), from) == sizeof(to))

#define WRITE_STEP(size, or_longer)                                                             \
	do {                                                                                    \
		struct {                                                                        \
			struct packet_event event;                                              \
			struct nft_conntrack conntrack;                                         \
			struct nft_step step;                                                   \
			char table[size], chain[size], target[size];                            \
		} *r = bpf_ringbuf_reserve(&events, sizeof(*r), 0);                             \
		if (!r) {                                                                       \
			__sync_fetch_and_add(&count->lost, 1);                                  \
			return 0;                                                               \
		}                                                                               \
		int longer = READ_NAME(r->table, table_name);                                   \
		longer |= READ_NAME(r->chain, BPF_CORE_READ(chain, name));                      \
		r->target[0] = 0;                                                               \
		if (target)                                                                     \
			longer |= READ_NAME(r->target, BPF_CORE_READ(target, name));            \
		if ((size) == NFT_NAME_SHORT && longer) {                                       \
			bpf_ringbuf_discard(r, BPF_RB_NO_WAKEUP);                               \
			or_longer;                                                              \
		} else {                                                                        \
			event_begin(&r->event, (__u64)skb, mask, nft_setup.probe, cpu);         \
			r->event.flags = EVENT_NFT_STEP;                                        \
			r->event.length = stolen ? 0 : FIELD(skb, len);                         \
			r->event.mark = stolen ? 0 : FIELD(skb, mark);                          \
			conntrack_read(stolen ? 0 : skb, &r->conntrack);                        \
			step_fill(&r->step, call, state, chain, base, code, stolen);            \
			r->step.name_size = (size);                                             \
			record_submit(r, ctl, count);                                           \
		}                                                                               \
	} while (0)

static __always_inline int nft_trace(struct nft_call *call)
{
	__u32 zero = 0, cpu = bpf_get_smp_processor_id();
	struct control *ctl = bpf_map_lookup_elem(&control, &zero);
	struct cpu_counters *count = my_counters(cpu);
	const struct nf_hook_state *state;
	struct nft_base_chain *base;
	struct nft_chain *chain, *target = 0;
	const char *table_name;
	struct sk_buff *skb;
	__u8 own[sizeof(OWN_TABLE)] = {};
	__u64 mask;
	__s32 code;
	int stolen;

	if (!ctl || !count || !ctl->verdict_mask || !FIELD(call->info, trace))
		return 0;
	call_complete(call);
	state = FIELD(call->pkt, state);
	if (FIELD(state, net, ns.inum) != nft_setup.netns)
		return 0;
	base = FIELD(call->info, basechain);
	chain = call_chain(call, base);
	if (!chain) {
		__sync_fetch_and_add(&count->attempted, 1);
		__sync_fetch_and_add(&count->lost, 1);
		return 0;
	}
	table_name = FIELD(chain, table, name);
	bpf_probe_read_kernel(own, sizeof(own), table_name);
	if (owner_of(own))
		return 0;
	code = call->type == NFT_TRACETYPE_POLICY ? FIELD(base, policy) : FIELD(call->verdict, code);
	stolen = code >= 0 && (code & 0xff) == NF_STOLEN;
	skb = FIELD(call->pkt, skb);
	mask = wanted_by(skb, state, stolen, ctl, count, cpu);
	if (!mask)
		return 0;
	if (call->type != NFT_TRACETYPE_POLICY && (code == NFT_JUMP || code == NFT_GOTO))
		target = FIELD(call->verdict, chain);
	__sync_fetch_and_add(&count->attempted, 1);
	WRITE_STEP(NFT_NAME_SHORT, WRITE_STEP(NFT_NAME_LONG, ));
	return 0;
}

/* fentry, fexit: arguments by position, as numbers. */

static __always_inline __u64 typed_argument(void *ctx, int position)
{
	__u64 value = 0;

	if (position >= 0)
		bpf_get_func_arg(ctx, position, &value);
	return value;
}

#define CALL_OF(argument)                                                                       \
	{                                                                                       \
		.info = (void *)argument(ctx, nft_setup.info_arg),                              \
		.pkt = (void *)argument(ctx, nft_setup.pkt_arg),                                \
		.verdict = (void *)argument(ctx, nft_setup.verdict_arg),                        \
		.rule = (void *)argument(ctx, nft_setup.rule_arg),                              \
		.chain = (void *)argument(ctx, nft_setup.chain_arg),                            \
		.type = (__u32)argument(ctx, nft_setup.type_arg),                               \
	}

SEC("fentry")
int nft_trace_fentry(void *ctx)
{
	struct nft_call call = CALL_OF(typed_argument);

	return nft_trace(&call);
}

SEC("fentry")
int nft_chain_fentry(void *ctx)
{
	const struct nft_pktinfo *pkt = (void *)typed_argument(ctx, nft_setup.chain_pkt_arg);

	call_enter(frame_of(ctx), (__u64)FIELD(pkt, skb), nft_setup.netns);
	return 0;
}

SEC("fentry")
int nft_hook_fentry(void *ctx)
{
	call_enter(frame_of(ctx), typed_argument(ctx, nft_setup.hook_skb_arg), nft_setup.netns);
	return 0;
}

static __always_inline __u64 typed_result(void *ctx)
{
	__u64 value = 0;

	bpf_get_func_ret(ctx, &value);
	return value;
}

SEC("fexit")
int nft_chain_fexit(void *ctx)
{
	call_leave(frame_of(ctx), typed_result(ctx), nft_setup.chain_return);
	return 0;
}

SEC("fexit")
int nft_hook_fexit(void *ctx)
{
	call_leave(frame_of(ctx), typed_result(ctx), nft_setup.hook_return);
	return 0;
}

/* kprobe, kretprobe: arguments in registers. */

SEC("kprobe")
int nft_trace_kprobe(struct pt_regs *ctx)
{
	struct nft_call call = CALL_OF(register_argument);

	return nft_trace(&call);
}

SEC("kprobe.multi")
int nft_trace_kprobe_multi(struct pt_regs *ctx)
{
	struct nft_call call = CALL_OF(register_argument);

	return nft_trace(&call);
}

SEC("kprobe")
int nft_chain_kprobe(struct pt_regs *ctx)
{
	const struct nft_pktinfo *pkt = (void *)register_argument(ctx, nft_setup.chain_pkt_arg);

	call_enter(LOAD_REGISTER(ctx, sp), (__u64)FIELD(pkt, skb), nft_setup.netns);
	return 0;
}

SEC("kprobe")
int nft_hook_kprobe(struct pt_regs *ctx)
{
	call_enter(LOAD_REGISTER(ctx, sp), register_argument(ctx, nft_setup.hook_skb_arg), nft_setup.netns);
	return 0;
}

/* After the return the stack pointer has passed the return address. */
#define FRAME_RETURNED(ctx) (LOAD_REGISTER(ctx, sp) - sizeof(void *))

SEC("kretprobe")
int nft_chain_kretprobe(struct pt_regs *ctx)
{
	call_leave(FRAME_RETURNED(ctx), LOAD_REGISTER(ctx, ax), nft_setup.chain_return);
	return 0;
}

SEC("kretprobe")
int nft_hook_kretprobe(struct pt_regs *ctx)
{
	call_leave(FRAME_RETURNED(ctx), LOAD_REGISTER(ctx, ax), nft_setup.hook_return);
	return 0;
}
