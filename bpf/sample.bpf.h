/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The first bytes of a packet as an Ethernet frame. Where the network header lies depends on the
 * place: at receive entries skb->data is right and network_header is stale on real drivers (veth
 * hides this); on transmit skb->data points at the MAC header; elsewhere network_header is right.
 *
 * FIELD() is how a kernel field is read: directly where BTF types the pointer (tracing.bpf.c),
 * by bpf_probe_read_kernel() where it does not (kprobe.bpf.c).
 */
#ifndef SAMPLE_BPF_H
#define SAMPLE_BPF_H

#include "maps.bpf.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>

#define ETHERNET 14
#define MAC_HEADER_UNSET 0xffff

/* Linux 6.2 (354259fa73e2) removed vlan_present: since then a tag is there if vlan_all != 0. */
struct sk_buff___vlan_all {
	__u32 vlan_all;
} __attribute__((preserve_access_index));

struct sk_buff___vlan_present {
	__u8 vlan_present : 1;
} __attribute__((preserve_access_index));

static __always_inline int vlan_tag_is_apart(struct sk_buff *skb)
{
	if (bpf_core_field_exists(struct sk_buff___vlan_all, vlan_all))
		return FIELD((struct sk_buff___vlan_all *)skb, vlan_all) != 0;
	if (bpf_core_field_exists(struct sk_buff___vlan_present, vlan_present))
		return BPF_CORE_READ_BITFIELD_PROBED((struct sk_buff___vlan_present *)skb,
						     vlan_present);
	return 0;
}

struct frame {
	void *start;		/* address of the MAC header, or of the network header */
	void *network;
	__u32 frame_length;
	__u32 digest;		/* set where filters are asked */
	__u16 valid;
	__u16 gso_segs;
	__be16 protocol;
	__u16 tci;
	__u8 has_mac;
	__u8 has_tag;
};

static __always_inline void frame_locate(struct sk_buff *skb, int role, struct frame *f)
{
	unsigned char *head = FIELD(skb, head);
	unsigned char *data = FIELD(skb, data);
	__u32 len = FIELD(skb, len);
	__u32 linear = len - FIELD(skb, data_len);
	__u16 mac = FIELD(skb, mac_header);
	__s64 before;

	f->protocol = FIELD(skb, protocol);
	f->has_mac = 0;
	f->digest = 0;
	f->network = role == ROLE_RECEIVE ? data : head + FIELD(skb, network_header);
	f->start = f->network;
	if (role == ROLE_LOCAL_OUT && !f->protocol) {
		/* __ip_local_out() sets it only after its entry; gso_segs serves as the buffer. */
		f->gso_segs = 0;
		bpf_probe_read_kernel(&f->gso_segs, 1, f->network);
		f->protocol = (f->gso_segs & 0xf0) == 0x60 ? bpf_htons(ETH_P_IPV6) :
							     bpf_htons(ETH_P_IP);
	}
	if (role == ROLE_QUEUE || role == ROLE_XMIT) {
		before = f->network - (void *)data;
		if (before >= ETHERNET && before <= ETHERNET + 8) {
			f->start = data;
			f->has_mac = 1;
		}
	} else if (mac != MAC_HEADER_UNSET) {
		before = f->network - (void *)(head + mac);
		if (before >= ETHERNET && before <= ETHERNET + 8) {
			f->start = head + mac;
			f->has_mac = 1;
		}
	}

	/* Not f->start: what lies before skb->data is the packet's, too, once it was pulled. */
	before = (void *)data - f->start;
	f->frame_length = len + before + (f->has_mac ? 0 : ETHERNET);
	f->valid = linear + before > SAMPLE_LONG ? SAMPLE_LONG : linear + before;
	if (!f->has_mac)
		f->valid += ETHERNET;

	f->has_tag = vlan_tag_is_apart(skb);
	f->tci = 0;
	if (f->has_tag) {
		f->tci = FIELD(skb, vlan_tci);
		f->frame_length += 4;
		f->valid += 4;
	}
	if (f->valid > SAMPLE_LONG)
		f->valid = SAMPLE_LONG;

	f->gso_segs = 0;
	if (len > 576) {	/* smaller packets are never aggregates: the least MSS is 536 */
		struct skb_shared_info *shared = (void *)(head + FIELD(skb, end));

		bpf_core_read(&f->gso_segs, sizeof(f->gso_segs), &shared->gso_segs);
	}
}

/*
 * size is a constant, a multiple of two. Faults read as zero, or leave zeros behind. Where the
 * kernel lets a program load from skb->head itself, a sample costs some 40 ns less than with the
 * helper.
 */
static __always_inline void memory_copy(__u8 *to, void *from, const __u32 size)
{
	if (!DIRECT_MEMORY) {
		bpf_probe_read_kernel(to, size, from);
		return;
	}
#pragma unroll
	for (__u32 i = 0; i + 8 <= size; i += 8)
		*(__u64 *)(to + i) = *(volatile __u64 *)(from + i);
	if (size & 4)
		*(__u32 *)(to + (size & ~7)) = *(volatile __u32 *)(from + (size & ~7));
	if (size & 2)
		*(__u16 *)(to + (size & ~3)) = *(volatile __u16 *)(from + (size & ~3));
}

/*
 * Fills bytes[size]; size is a constant. Reads past the packet's linear part stay inside the
 * skb's own buffer (skb_shared_info follows it); `valid` says how much means something.
 */
static __always_inline void frame_copy(const struct frame *f, __u8 *bytes, const __u32 size)
{
	__be16 *type = (__be16 *)(bytes + 12);

	if (f->has_mac && !f->has_tag) {
		memory_copy(bytes, f->start, size);
		return;
	}
	if (f->has_mac)
		memory_copy(bytes, f->start, 12);
	else
		__builtin_memset(bytes, 0, 12);
	if (f->has_tag) {
		type[0] = bpf_htons(ETH_P_8021Q);
		type[1] = bpf_htons(f->tci);
		type[2] = f->protocol;
		memory_copy(bytes + ETHERNET + 4, f->network, size - ETHERNET - 4);
	} else {
		type[0] = f->protocol;
		memory_copy(bytes + ETHERNET, f->network, size - ETHERNET);
	}
}

/* Addresses, ports, lengths and ids: stacked devices (bridge, VLAN) leave them alone. */
static __always_inline __u32 frame_digest(const __u8 *bytes, int has_tag)
{
	const __u32 *words = (const __u32 *)(bytes + (has_tag ? 20 : 16));
	__u32 digest = 0;

#pragma unroll
	for (int i = 0; i < 10; i++)
		digest = (digest << 1 | digest >> 31) ^ words[i];
	return digest;
}

#endif
