// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * nft's own trace, taken where it is made. Every message of the nft trace facility passes the
 * filter of each socket that listens to it, on the CPU that works on the packet and while it does:
 * this program is that filter. It knows the packet (current_packets), gives the message its time,
 * writes both into the ring, and refuses the message, so that the socket never fills.
 *
 * A message names its packet by a keyed hash of the skb's address, its flow hash and its device:
 * an id seen with one address belongs to that address for as long as the machine runs. Our own
 * table is the first to trace a packet in a hook, straight after the hook's start was seen; there
 * the id is bound to the packet, and an interrupt that changes the CPU's current packet between
 * two later messages does no harm.
 *
 * Some of our chains are met by packets that nobody has seen before: an ARP request is made while
 * the CPU works on the packet that waits for it. Their tables are told by a name of their own, and
 * unless its id is bound already, such a packet is not told at all: no packet is better than a
 * wrong one.
 */
#include "kernel_types.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#define FIELD(pointer, field) BPF_CORE_READ(pointer, field)
#define DIRECT_MEMORY 0
#include "trace_abi.h"
#include "tracked_skbs.bpf.h"
#include "record.bpf.h"
#include "own_tables.bpf.h"
#include "conntrack.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

const volatile struct nft_setup nft_setup;

#define NETLINK_HEADERS 20	/* struct nlmsghdr, struct nfgenmsg */
#define MAX_ATTRIBUTES	12

/* The head of the context (UAPI): the only field read here. */
struct __sk_buff {
	__u32 len;
};

enum {	/* enum nft_trace_attributes */
	NFTA_TRACE_TABLE = 1,
	NFTA_TRACE_CHAIN = 2,
	NFTA_TRACE_ID = 6,
};

struct nft_binding {
	__u32 id;
	__u32 unseen;		/* of a packet that came by no door */
	__u64 skb_addr;
};

/*
 * A few ways a set: a packet in the middle of its chains (a rule rejects it) and the one made of it
 * meanwhile (the answer) must not take each other's place.
 */
#define BINDING_WAYS 4
#define BINDING_SETS 64	/* a CPU; a power of two */

struct nft_binding_set {
	struct nft_binding way[BINDING_WAYS];
	__u64 next;	/* the way that the next new packet gets */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MAX_CPUS * BINDING_SETS);
	__type(key, __u32);
	__type(value, struct nft_binding_set);
} nft_bindings SEC(".maps");

struct message_head {
	__u32 id;
	__u32 owner;
};

/* Each attribute is rounded up to four bytes. */
struct attribute {
	__u16 length;	/* with these four bytes */
	__u16 type;
	__u8 payload[12];
};

/*
 * Seen on 6.18: protocol, type and id (four bytes each) come first, then chain and table: then two
 * loads are enough. Where one does not, the attributes are searched.
 */
static __always_inline void message_read_head(struct __sk_buff *skb, struct message_head *head)
{
	struct attribute attribute;
	__u32 at = NETLINK_HEADERS + 2 * 8;

	head->id = head->owner = 0;
	if (!bpf_skb_load_bytes(skb, at, &attribute, sizeof(attribute)) &&
	    attribute.type == NFTA_TRACE_ID) {
		__u16 *chain = (__u16 *)(attribute.payload + 4);

		head->id = *(__u32 *)attribute.payload;
		at += 8 + ((chain[0] + 3) & ~3);
		if (chain[1] == NFTA_TRACE_CHAIN &&
		    !bpf_skb_load_bytes(skb, at, &attribute, sizeof(attribute)) &&
		    attribute.type == NFTA_TRACE_TABLE) {
			head->owner = owner_of(attribute.payload);
			return;
		}
	}
	at = NETLINK_HEADERS;
	for (int i = 0; i < MAX_ATTRIBUTES; i++) {
		if (bpf_skb_load_bytes(skb, at, &attribute, sizeof(attribute)))
			return;
		if (attribute.length < 4)
			return;
		if (attribute.type == NFTA_TRACE_ID)
			head->id = *(__u32 *)attribute.payload;
		if (attribute.type == NFTA_TRACE_TABLE) {
			head->owner = owner_of(attribute.payload);
			if (head->id)
				return;
		}
		at += (attribute.length + 3) & ~3;
	}
}

static __always_inline struct nft_binding *binding_find(struct nft_binding_set *set, __u32 id)
{
#pragma unroll
	for (int i = 0; i < BINDING_WAYS; i++) {
		if (set->way[i].id == id)
			return &set->way[i];
	}
	return 0;
}

/* A way of its own also where this CPU is interrupted here: the one that interrupts gets the next. */
static __always_inline struct nft_binding *binding_new(struct nft_binding_set *set)
{
	__u64 way = __sync_fetch_and_add(&set->next, 1);

	return &set->way[way & (BINDING_WAYS - 1)];
}

/* The packet of a message: its address, 0 = not known, REFUSED_PACKET = no session wants it. */
static __always_inline __u64 message_packet(const struct message_head *head, __u32 cpu)
{
	__u32 index = cpu & (MAX_CPUS - 1);
	struct current_packet *current = bpf_map_lookup_elem(&current_packets, &index);
	struct nft_binding_set *set;
	struct nft_binding *binding;
	__u64 skb_addr = current ? current->skb_addr : 0;
	int is_bound;

	index = index * BINDING_SETS + (head->id & (BINDING_SETS - 1));
	set = bpf_map_lookup_elem(&nft_bindings, &index);
	if (!set)
		return skb_addr;
	binding = binding_find(set, head->id);
	is_bound = binding != 0;
	if (!binding)
		binding = binding_new(set);
	if (head->owner == TABLE_OURS_UNSEEN) {
		/* It passed another table of ours before, and may have waited since (for ARP). */
		if (is_bound && !binding->unseen)
			return binding->skb_addr;
		binding->id = head->id;
		binding->skb_addr = 0;
		binding->unseen = 1;
		return 0;
	}
	if (head->owner == TABLE_FOREIGN && is_bound &&
	    (binding->unseen || binding->skb_addr > REFUSED_PACKET || skb_addr <= REFUSED_PACKET))
		return binding->skb_addr;
	if (skb_addr || !is_bound || binding->unseen) {
		binding->id = head->id;
		binding->skb_addr = skb_addr;
		binding->unseen = 0;
	}
	return skb_addr;
}

/*
 * Says to the verifier what is known already: clang keeps copies of the length, and Linux 6.1 does
 * not tell them that another copy has been compared.
 */
#define CLAMP(value, least, most)                                                               \
	asm volatile("if %0 >= %1 goto +1\n%0 = %1\nif %0 <= %2 goto +1\n%0 = %2"               \
		     : "+r"(value)                                                              \
		     : "i"(least), "i"(most))

#define WRITE_MESSAGE(size)                                                                     \
	do {                                                                                    \
		struct {                                                                        \
			struct packet_event event;                                              \
			struct nft_conntrack conntrack;                                         \
			__u8 bytes[size];                                                       \
		} *r = bpf_ringbuf_reserve(&events, sizeof(*r), 0);                             \
		if (!r) {                                                                       \
			__sync_fetch_and_add(&count->lost, 1);                                  \
			return 0;                                                               \
		}                                                                               \
		r->event = event;                                                               \
		conntrack_read((void *)event.skb_addr, &r->conntrack);                          \
		__u64 taken = length;                                                           \
		CLAMP(taken, 4, size);                                                          \
		if (bpf_skb_load_bytes(skb, 0, r->bytes, taken))                                \
			r->event.length = 0;                                                    \
		record_submit(r, ctl, count);                                                   \
	} while (0)

/* Returns 0 always: the socket itself gets nothing. */
SEC("socket")
int nft_message(struct __sk_buff *skb)
{
	__u32 zero = 0, cpu = bpf_get_smp_processor_id(), length = skb->len;
	struct control *ctl = bpf_map_lookup_elem(&control, &zero);
	struct cpu_counters *count = my_counters(cpu);
	struct packet_event event = {};
	struct tracked_skb *known;
	struct message_head head;

	if (!ctl || !count || !ctl->verdict_mask)
		return 0;
	message_read_head(skb, &head);
	event.skb_addr = message_packet(&head, cpu);
	if (head.owner || event.skb_addr == REFUSED_PACKET)
		return 0;
	known = event.skb_addr ? track_find(event.skb_addr) : 0;
	event.session_mask = known ? known->session_mask & ctl->verdict_mask : ctl->verdict_mask;
	if (!event.session_mask)
		return 0;
	event.timestamp_ns = bpf_ktime_get_ns();
	event.netns = known ? known->netns : nft_setup.netns;
	event.length = length;
	event.param = head.id;
	event.probe = nft_setup.probe;
	event.cpu = cpu;
	event.flags = EVENT_NFT;
	__sync_fetch_and_add(&count->attempted, 1);
	if (length < 4 || length > NFT_MESSAGE_LONG) {
		__sync_fetch_and_add(&count->lost, 1);
		return 0;
	}
	if (length <= NFT_MESSAGE_SHORT)
		WRITE_MESSAGE(NFT_MESSAGE_SHORT);
	else if (length <= NFT_MESSAGE_MEDIUM)
		WRITE_MESSAGE(NFT_MESSAGE_MEDIUM);
	else
		WRITE_MESSAGE(NFT_MESSAGE_LONG);
	return 0;
}
