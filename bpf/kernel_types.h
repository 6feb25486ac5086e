/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The few kernel fields that are read, and no more: CO-RE finds their real offsets at load time
 * (preserve_access_index), so order and neighbours do not matter here. Differences between
 * kernels are named where they are used.
 */
#ifndef KERNEL_TYPES_H
#define KERNEL_TYPES_H

typedef unsigned char __u8;
typedef signed char __s8;
typedef short __s16;
typedef unsigned short __u16;
typedef int __s32;
typedef unsigned int __u32;
typedef long long __s64;
typedef unsigned long long __u64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u64 __be64;
typedef __u16 __sum16;
typedef __u32 __wsum;

enum bpf_map_type {
	BPF_MAP_TYPE_ARRAY = 2,
	BPF_MAP_TYPE_RINGBUF = 27,
};

/* uapi/linux/bpf.h: bpf_ringbuf_submit() and bpf_ringbuf_query() */
#define BPF_RB_NO_WAKEUP 1
#define BPF_RB_FORCE_WAKEUP 2
#define BPF_RB_AVAIL_DATA 0
#define BPF_F_MMAPABLE (1U << 10)

#define ETH_P_IP 0x0800
#define ETH_P_8021Q 0x8100
#define ETH_P_IPV6 0x86dd

#define NF_ACCEPT 1
/* include/uapi/linux/netfilter/nf_conntrack_common.h: IPS_SRC_NAT | IPS_DST_NAT */
#define IPS_NAT_MASK 0x30
#define NFCT_INFOMASK 7UL
#define IP_CT_IS_REPLY 3

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct ns_common {
	unsigned int inum;
};

struct net {
	struct ns_common ns;
};

typedef struct {
	struct net *net;
} possible_net_t;

struct net_device {
	int ifindex;
	possible_net_t nd_net;
};

struct dst_entry {
	struct net_device *dev;
};

struct sock_common {
	__u16 skc_num;		/* local port, in the order of the machine */
	possible_net_t skc_net;
};

struct sock {
	struct sock_common __sk_common;
	__u16 sk_protocol;
};

struct sk_buff {
	struct net_device *dev;
	struct sock *sk;
	unsigned long _skb_refdst;
	unsigned long _nfct;
	int skb_iif;
	unsigned int len;
	unsigned int data_len;
	__u32 mark;
	__be16 protocol;
	__u16 vlan_tci;
	__u16 transport_header;
	__u16 network_header;
	__u16 mac_header;
	unsigned int end;
	unsigned char *head;
	unsigned char *data;
};

struct skb_shared_info {
	unsigned short gso_segs;
};

struct nf_hook_state {
	__u8 hook;
	__u8 pf;
	struct net_device *in;
	struct net_device *out;
	struct net *net;
};

struct bpf_nf_ctx {
	const struct nf_hook_state *state;
	struct sk_buff *skb;
};

struct in6_addr {
	__be32 in6_u[4];
};

struct flowi_common {
	int flowic_iif;
};

struct flowi4 {
	struct flowi_common __fl_common;
	__be32 saddr;
	__be32 daddr;
};

struct hlist_nulls_node {
	struct hlist_nulls_node *next, **pprev;
};

struct nf_conntrack_tuple_hash {
	struct hlist_nulls_node hnnode;
};

struct fib6_table {
	__u32 tb6_id;
};

struct nf_conn {
	struct nf_conntrack_tuple_hash tuplehash[2];	/* only its offset is asked for */
	unsigned long status;
};

/* nf_tables, as __nft_trace_packet() sees it: nft_step.bpf.h says what differs between kernels. */
struct nft_table {
	char *name;
	__u16 family : 6;
};

struct nft_chain {
	struct nft_table *table;
	char *name;
};

struct nft_verdict {
	__u32 code;
	struct nft_chain *chain;
};

struct nft_rule_dp {
	__u64 is_last : 1, dlen : 12, handle : 42;
};

struct nft_rule_dp_last {
	struct nft_rule_dp end;
	struct nft_chain *chain;
};

enum nft_chain_types {
	NFT_CHAIN_T_DEFAULT,	/* filter */
};

struct nft_chain_type {
	enum nft_chain_types type;
};

struct nf_hook_ops {
	int priority;
};

struct nft_base_chain {
	struct nf_hook_ops ops;
	struct nft_chain_type *type;
	__u8 policy;
	struct nft_chain chain;
};

struct nft_pktinfo {
	struct sk_buff *skb;
	const struct nf_hook_state *state;
};

struct nft_traceinfo {
	_Bool trace;
	struct nft_base_chain *basechain;
};

/* Up to Linux 6.2 the rest of a step is here; 6.3 moved it, piece by piece, to arguments. */
struct nft_traceinfo___before {
	const struct nft_pktinfo *pkt;
	const struct nft_rule_dp *rule;
	const struct nft_verdict *verdict;
};

#pragma clang attribute pop

/* Layouts that other code parses in place, fixed since Linux 2.6: no relocation wanted. */
struct conntrack_tuple {
	__be32 src_address[4];
	__be16 src_port;
	__u16 l3num;
	__be32 dst_address[4];
	__be16 dst_port;
	__u8 protonum;
	__u8 dir;
};

/* kprobe programs: struct pt_regs of x86-64, see bpf_tracing.h. */
struct pt_regs {
	unsigned long r15, r14, r13, r12, bp, bx, r11, r10, r9, r8, ax, cx, dx, si, di;
	unsigned long orig_ax, ip, cs, flags, sp, ss;
};

#endif
