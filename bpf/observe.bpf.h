/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The one body behind every probe:
 *
 *   1. whose namespace is it?   the gate, cheapest, turns most packets away
 *   2. do we know the packet?   tracked_skbs
 *   3. at a door: who wants it? session filters; the answer is remembered
 *   4. write it down            one record, exactly as long as needed, no wake-up
 */
#ifndef OBSERVE_BPF_H
#define OBSERVE_BPF_H

#include "record.bpf.h"
#include "sessions.bpf.h"
#include "tracked_skbs.bpf.h"

/* Inodes of namespaces begin here (PROC_DYNAMIC_FIRST): anything below is not one. */
#define NETNS_FIRST 0xf0000000U

/* What a probe has in its hands. Scalars, so that it fits registers after inlining. */
struct observation {
	struct sk_buff *skb;
	__u64 skb_addr;
	__u64 param;
	__u32 param2;
	__u32 netns;	/* known from the arguments, else 0 */
};

/*
 * The address as a number: the verifier forbids arithmetic on a typed pointer. An atomic add
 * makes it forget the type of the stack cell, for some 5 ns.
 */
static __always_inline __u64 address_of(struct sk_buff *skb)
{
	__u64 cell = 0;

	__sync_fetch_and_add(&cell, (__u64)skb);
	return cell;
}

struct record {
	struct packet_event event;
	struct header_sample sample;
};

static __always_inline void count_hit(__u32 probe)
{
	__u64 *hits = bpf_map_lookup_elem(&probe_hits, &probe);

	if (hits)
		__sync_fetch_and_add(hits, 1);
}

static __always_inline __u32 netns_of_device(struct net_device *dev)
{
	struct net *net = FIELD(dev, nd_net.net);

	return FIELD(net, ns.inum);
}

/* Where skb->dev may be empty (before routing chose a device) or lie (after the socket's queue). */
static __always_inline __u32 netns_by_any_means(struct sk_buff *skb)
{
	struct net_device *dev = FIELD(skb, dev);
	struct sock *sk = FIELD(skb, sk);
	struct dst_entry *dst;
	__u32 netns = 0;

	if (dev)
		netns = BPF_CORE_READ(dev, nd_net.net, ns.inum);
	if (netns >= NETNS_FIRST)
		return netns;
	netns = sk ? BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum) : 0;
	if (netns >= NETNS_FIRST)
		return netns;
	dst = (void *)(FIELD(skb, _skb_refdst) & ~1UL);
	netns = dst ? BPF_CORE_READ(dst, dev, nd_net.net, ns.inum) : 0;
	return netns >= NETNS_FIRST ? netns : 0;
}

static __always_inline void event_fill(struct packet_event *e, const volatile struct probe_desc *d,
				       const struct observation *o, __u64 now, __u32 cpu,
				       __u64 mask, __u32 netns, __u32 ifindex)
{
	e->timestamp_ns = now;
	e->skb_addr = o->skb_addr;
	e->session_mask = mask;
	e->param = o->param;
	e->netns = netns;
	e->ifindex = ifindex;
	e->length = o->skb ? FIELD(o->skb, len) : 0;
	e->mark = o->skb ? FIELD(o->skb, mark) : 0;
	e->param2 = o->param2;
	e->probe = d->probe;
	e->cpu = cpu;
	__builtin_memset(&e->flags, 0, 8);
}

/* A record with the first bytes of the packet, read straight into the ring. */
#define WRITE_SAMPLED(size)                                                                     \
	do {                                                                                    \
		struct record *r = bpf_ringbuf_reserve(&events, sizeof(struct record) -         \
						       SAMPLE_LONG + (size), 0);                \
		if (!r) {                                                                       \
			__sync_fetch_and_add(&count->lost, 1);                                  \
			return;                                                                 \
		}                                                                               \
		event_fill(&r->event, d, o, now, cpu, mask, netns, ifindex);                    \
		r->event.flags = EVENT_SAMPLE;                                                  \
		r->event.sample_size = (size);                                                  \
		r->sample.head = (__u64)FIELD(o->skb, head);                                    \
		r->sample.frame_length = f->frame_length;                                       \
		r->sample.valid = f->valid < (size) ? f->valid : (size);                        \
		r->sample.gso_segs = f->gso_segs;                                               \
		frame_copy(f, r->sample.bytes, (size));                                         \
		record_submit(r, ctl, count);                                                   \
	} while (0)

static __always_inline void write_sampled(const volatile struct probe_desc *d,
					  const struct observation *o, const struct frame *f,
					  const struct control *ctl, struct cpu_counters *count,
					  __u64 now, __u32 cpu, __u64 mask, __u32 netns,
					  __u32 ifindex)
{
	__sync_fetch_and_add(&count->attempted, 1);
	if (f->protocol == bpf_htons(ETH_P_IP))
		WRITE_SAMPLED(SAMPLE_SHORT);
	else
		WRITE_SAMPLED(SAMPLE_LONG);
}

static __always_inline void write_plain(const volatile struct probe_desc *d,
					const struct observation *o, const struct control *ctl,
					struct cpu_counters *count, __u64 now, __u32 cpu,
					__u64 mask, __u32 netns, __u32 ifindex)
{
	struct packet_event *e;

	__sync_fetch_and_add(&count->attempted, 1);
	if (d->flags & PROBE_COMM) {
		struct {
			struct packet_event event;
			struct task_sample task;
		} *r = bpf_ringbuf_reserve(&events, sizeof(*r), 0);

		if (!r) {
			__sync_fetch_and_add(&count->lost, 1);
			return;
		}
		event_fill(&r->event, d, o, now, cpu, mask, netns, ifindex);
		r->event.flags = EVENT_TASK;
		r->task.pid = bpf_get_current_pid_tgid() >> 32;
		r->task.pad = 0;
		bpf_get_current_comm(r->task.comm, sizeof(r->task.comm));
		record_submit(r, ctl, count);
		return;
	}
	e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);
	if (!e) {
		__sync_fetch_and_add(&count->lost, 1);
		return;
	}
	event_fill(e, d, o, now, cpu, mask, netns, ifindex);
	record_submit(e, ctl, count);
}

/* Asks the filters about the packet as it is, then as it was before NAT. */
static __always_inline __u64 ask_filters(struct sk_buff *skb, struct frame *f,
					 const struct control *ctl, __u32 netns, __u32 ifindex,
					 __u32 cpu, struct cpu_counters *count)
{
	__u64 sessions = ctl->filtered_mask, wanted, bit;
	struct candidate *c = candidate_take(cpu, &bit);
	struct question *q;

	if (!c) {	/* interrupted more than CANDIDATES deep */
		__sync_fetch_and_add(&count->unasked, 1);
		return 0;
	}
	q = &c->fresh;
	/* Before the filters are read: a newer one's answer may be kept as an older one's, never the reverse. */
	q->filter_generation = *(volatile const __u32 *)&ctl->filter_generation;
	q->sessions = sessions;
	q->conntrack = FIELD(skb, _nfct);
	q->frame_length = f->frame_length;
	q->netns = netns;
	q->ifindex = ifindex;
	q->mark = FIELD(skb, mark);
	q->valid = f->valid;
	frame_copy(f, q->bytes, SAMPLE_LONG);
	f->digest = frame_digest(q->bytes, f->has_tag);
	if (was_asked(c)) {
		wanted = c->answer;
	} else {
		wanted = wanted_by(c, sessions);
		if (wanted != sessions && undo_nat(skb, f, c))
			wanted |= wanted_by(c, sessions & ~wanted);
		c->answer = wanted;
	}
	candidate_give_back(cpu, bit);
	return wanted;
}

static __always_inline int is_entry(const volatile struct probe_desc *d)
{
	return d->role == ROLE_RECEIVE || d->role == ROLE_LOCAL_OUT;
}

/*
 * The same packet further on: what matched once stays. Not so when it is a new packet on an
 * address whose end was not seen: it comes to where it was before, or leaves a socket while the
 * old one came in (the outer packet of a tunnel has been handed to the tunnel's device first).
 */
static __always_inline int goes_on(const volatile struct probe_desc *d, struct sk_buff *skb,
				   const struct tracked_skb *known, __u32 ifindex, __u32 digest)
{
	if (d->role == ROLE_RECEIVE)
		return known->stage != TRACK_LEFT && known->ifindex != ifindex &&
		       known->digest == digest;
	if (d->role == ROLE_LOCAL_OUT)
		return known->stage == TRACK_QUEUED || known->stage == TRACK_LEFT;
	if (known->stage == TRACK_INSIDE)
		return FIELD(skb, skb_iif) != 0;
	return known->stage != TRACK_LEFT || known->ifindex != ifindex;
}

/* A packet enters the host, leaves a socket, is handed to a device, or is dropped unknown. */
static __always_inline void observe_door(const volatile struct probe_desc *d,
					 const struct observation *o, struct tracked_skb *known,
					 const struct control *ctl, struct cpu_counters *count,
					 __u32 cpu, __u32 netns, __u32 ifindex, struct frame *f)
{
	__u64 mask = ctl->all_mask, now;

	frame_locate(o->skb, d->role, f);
	if (ctl->filtered_mask) {
		mask |= ask_filters(o->skb, f, ctl, netns, ifindex, cpu, count);
		if (known && known->netns == netns &&
		    goes_on(d, o->skb, known, ifindex, f->digest))
			mask |= known->session_mask;
	}
	if (!mask) {
		track_forget(known);
		if (!(d->flags & PROBE_DEFER))
			remember_current(cpu, is_entry(d) ? REFUSED_PACKET : 0);
		return;
	}
	now = bpf_ktime_get_ns(); /* some 60 ns, which a refused packet is spared */
	if (!known)
		known = track_claim(o->skb_addr, now, count);
	if (known) {
		known->session_mask = mask;
		known->netns = netns;
		known->ifindex = ifindex;
		known->digest = f->digest;
		known->stamp = track_stamp(now);
		known->stage = d->role == ROLE_XMIT	 ? TRACK_LEFT :
			       d->role == ROLE_QUEUE	 ? TRACK_QUEUED :
			       d->role == ROLE_LOCAL_OUT ? TRACK_LOCAL :
							   TRACK_INSIDE;
		if (d->role == ROLE_DROP)
			track_forget(known);
	}
	if (!(d->flags & PROBE_DEFER))
		remember_current(cpu, is_entry(d) ? o->skb_addr : 0);
	write_sampled(d, o, f, ctl, count, now, cpu, mask, netns, ifindex);
}

/* Inside a visit: is this step told of a packet that is not known? A filter is asked of a drop only. */
static __always_inline int may_begin(const volatile struct probe_desc *d, const struct control *ctl)
{
	if (d->role == ROLE_DROP)
		return 1;
	return ctl->all_mask && d->role != ROLE_CONSUME && d->role != ROLE_FOLLOW;
}

/* can_be_door is a constant: programs without doors do not carry the filters. */
static __always_inline void observe(const volatile struct probe_desc *d, struct observation *o,
				    const int can_be_door)
{
	__u32 zero = 0, cpu, netns, ifindex = 0;
	struct cpu_counters *count;
	struct tracked_skb *known;
	struct net_device *dev;
	struct control *ctl;
	struct frame f;	/* one for all ways: the stack is full up to Linux 6.6 (sessions.bpf.h) */
	__u64 now, mask;

	ctl = bpf_map_lookup_elem(&control, &zero);
	if (!ctl || !(ctl->all_mask | ctl->filtered_mask))
		return;
	if (d->role == ROLE_COUNT) {
		count_hit(d->probe);
		return;
	}
	if (!o->skb)
		return;
	o->skb_addr = address_of(o->skb);

	/* 1. The gate. */
	if (can_be_door && (d->role == ROLE_RECEIVE || d->role == ROLE_QUEUE ||
			    d->role == ROLE_XMIT || d->role == ROLE_LOCAL_OUT)) {
		dev = FIELD(o->skb, dev);
		netns = o->netns;
		if (!netns)
			netns = d->role == ROLE_LOCAL_OUT ? netns_by_any_means(o->skb) :
							    netns_of_device(dev);
		known = track_find(o->skb_addr);
		if (ctl->gate_netns && netns != ctl->gate_netns) {
			track_forget(known);	/* it has moved on to another namespace */
			return;
		}
		ifindex = dev ? FIELD(dev, ifindex) : 0;
		if (d->role == ROLE_QUEUE || d->role == ROLE_XMIT)
			o->param = FIELD(o->skb, skb_iif);
		cpu = bpf_get_smp_processor_id();
		count = my_counters(cpu);
		if (!count)
			return;
		if (d->role != ROLE_XMIT || !known || known->stage != TRACK_QUEUED ||
		    known->netns != netns) {
			observe_door(d, o, known, ctl, count, cpu, netns, ifindex, &f);
			return;
		}
		now = bpf_ktime_get_ns();
		known->stage = TRACK_LEFT;
		known->ifindex = ifindex;
		known->stamp = track_stamp(now);
		mask = known->session_mask;
		remember_current(cpu, 0);
		write_plain(d, o, ctl, count, now, cpu, mask, netns, ifindex);
		return;
	}

	/* 2. Inside: known, or (a drop; any step while everything is wanted) met here first. */
	known = track_find(o->skb_addr);
	if (!known && !may_begin(d, ctl))
		return;
	if ((d->role == ROLE_DROP || d->role == ROLE_CONSUME) && !FIELD(o->skb, protocol)) {
		track_forget(known);	/* netlink, unix: not a packet */
		return;
	}
	if (known && known->stage == TRACK_LEFT) {
		/* After it left, only the same namespace's steps and ends are this visit's. */
		netns = netns_by_any_means(o->skb);
		if (netns != known->netns) {
			track_forget(known);
			known = 0;
			if (!may_begin(d, ctl))
				return;
		}
	}
	cpu = bpf_get_smp_processor_id();
	count = my_counters(cpu);
	if (!count)
		return;
	if (!known) {
		netns = o->netns ? o->netns : netns_by_any_means(o->skb);
		if (!netns || (ctl->gate_netns && netns != ctl->gate_netns))
			return;
		dev = FIELD(o->skb, dev);
		ifindex = dev ? BPF_CORE_READ(dev, ifindex) : 0;
		if (can_be_door && d->role == ROLE_DROP) {
			observe_door(d, o, known, ctl, count, cpu, netns, ifindex, &f);
			return;
		}
		/* With its header, so that it can be told whose clone it is. */
		frame_locate(o->skb, d->role, &f);
		write_sampled(d, o, &f, ctl, count, bpf_ktime_get_ns(), cpu, ctl->all_mask, netns,
			      ifindex);
		return;
	}
	now = bpf_ktime_get_ns();
	mask = known->session_mask;
	netns = known->netns;
	ifindex = known->ifindex;
	known->stamp = track_stamp(now);
	if (d->role == ROLE_DROP || d->role == ROLE_CONSUME) {
		track_forget(known);
		remember_current(cpu, 0);
	} else {
		remember_current(cpu, o->skb_addr);
	}
	write_plain(d, o, ctl, count, now, cpu, mask, netns, ifindex);
}

#endif
