/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Everything the kernel half and the C# half say to each other, and nothing else.
 * Widths descend, padding is explicit; ContractTests compares size and offsets of every
 * struct below with the object's BTF. The C# mirror is src/Node/Kernel/Native/TraceAbi.cs.
 */
#ifndef TRACE_ABI_H
#define TRACE_ABI_H

#define MAX_PROBES	 160	/* rows of the probe catalog */
#define MAX_SESSIONS	 64	/* one bit each in a visit's session mask */
#define MAX_FILTER_NODES 4096	/* all sessions' filters together */
#define MAX_CPUS	 256	/* counters: a power of two, CPU ids are masked with it */
#define SAMPLE_SHORT	 80	/* bytes: Ethernet + VLAN + IPv4 + a TCP header with options */
#define SAMPLE_LONG	 128	/* bytes: the same for IPv6 with extension headers */
#define COMM_LENGTH	 16	/* TASK_COMM_LEN */
#define TRACK_WAYS	 4
#define TRACK_BUCKETS	 32768	/* power of two; x4 ways = 131,072 packets remembered */

/* What a probe means for a visit: probe_desc.role. */
enum probe_role {
	ROLE_STEP = 0,		/* somewhere inside a visit: looks the packet up */
	ROLE_RECEIVE = 1,	/* door: the packet enters from a device */
	ROLE_LOCAL_OUT = 2,	/* door: the packet leaves a socket */
	ROLE_QUEUE = 3,		/* door: handed to a device (net_dev_queue) */
	ROLE_XMIT = 4,		/* left, for now (net_dev_start_xmit) */
	ROLE_DROP = 5,		/* kfree_skb: the end, with a reason */
	ROLE_CONSUME = 6,	/* consume_skb: the end, used up */
	ROLE_COUNT = 7,		/* has no packet: hits are counted, nothing is emitted */
	ROLE_FLOW = 8,		/* has a flow or a socket, no packet: the CPU's current packet if it fits */
	ROLE_FOLLOW = 9,	/* sees every skb of the system: only for packets already known */
	ROLE_VERDICT = 10,	/* nft's trace: the message or the step itself is the event */
	ROLE_RETURN = 11,	/* a function returned: param = ns spent in it, param2 = what it returned */
};

/* How probe_desc.param_arg is read into packet_event.param and param2. */
enum param_kind {
	PARAM_NONE = 0,
	PARAM_VALUE = 1,	/* param = argument param_arg, param2 = argument param2_arg */
	PARAM_HOOK = 2,		/* argument param_arg is a nf_hook_state: param = hook, param2 = pf */
	PARAM_FLOW4 = 3,	/* argument param_arg is a flowi4; param = table (param2_arg) */
	PARAM_FLOW6 = 4,	/* argument param_arg is a flowi6; param = id of the fib6_table param2_arg */
	PARAM_SOCKET = 5,	/* argument param_arg is a sock that the CPU's current packet may be for */
};

/* Flags of probe_desc. */
#define PROBE_COMM  1	/* always in the context of the process: send its name */
#define PROBE_DEFER 2	/* the packet is put aside here: it is not what the CPU works on next */

/* One row of the catalog as the kernel half needs it (.rodata: the verifier folds it away). */
struct probe_desc {
	__u16 probe;		/* index in the catalog */
	__u8 role;		/* enum probe_role */
	__u8 param_kind;	/* enum param_kind */
	__s8 skb_arg;		/* argument position, -1 = none */
	__s8 param_arg;
	__s8 param2_arg;
	__u8 flags;		/* PROBE_* */
};

/*
 * Programs that user space aims: the first DOOR slots of each kind hold the filters, too, which
 * costs the verifier time; the others only look packets up. Drops are doors: they may be a
 * packet's first sight.
 */
#define TRACEPOINT_SLOTS 64
#define TRACEPOINT_DOORS 12
#define FENTRY_SLOTS	 124
#define FENTRY_DOORS	 5
#define NETFILTER_SLOTS	 10
#define NETFILTER_DOORS	 2

/* .rodata of tracing.bpf.c, written before load. */
struct tracing_setup {
	struct probe_desc tracepoint_slots[TRACEPOINT_SLOTS];
	struct probe_desc fentry_slots[FENTRY_SLOTS];
	struct probe_desc netfilter_slots[NETFILTER_SLOTS];
	__u8 direct_memory;	/* 1 = this kernel lets a program load from skb->head itself */
	__u8 pad[7];
};

/* Flags of packet_event. */
#define EVENT_SAMPLE	 1	/* a header_sample of sample_size bytes follows */
#define EVENT_TASK	 2	/* a task_sample follows (after the header_sample) */
#define EVENT_NFT	 16	/* a nft_conntrack, then a message of nft's trace follow, event.length bytes of it */
#define EVENT_NFT_STEP	 32	/* a nft_conntrack, then a nft_step and its names follow */

struct packet_event {
	__u64 timestamp_ns;	/* bpf_ktime_get_ns(): CLOCK_MONOTONIC */
	__u64 skb_addr;
	__u64 session_mask;	/* bit s: session s wants this packet */
	__u64 param;		/* param_kind says what; at ROLE_QUEUE and ROLE_XMIT: the device it came in by, 0 = none */
	__u32 netns;		/* inode of the network namespace */
	__u32 ifindex;
	__u32 length;		/* skb->len in bytes, from where skb->data points */
	__u32 mark;
	__u32 param2;
	__u16 probe;
	__u16 cpu;
	__u8 flags;		/* EVENT_* */
	__u8 sample_size;	/* bytes of header_sample.bytes that follow: SAMPLE_SHORT, _LONG */
	__u8 pad[6];
};

/*
 * The first bytes of the packet as an Ethernet frame, which is rebuilt where the packet has no
 * MAC header (then addresses are zero) or where the VLAN tag was taken off by the device.
 */
struct header_sample {
	__u64 head;		/* skb->head: clones share it */
	__u32 frame_length;	/* bytes of the whole packet as a frame, payload included */
	__u16 valid;		/* bytes that are really the packet's */
	__u16 gso_segs;		/* segments this skb stands for, 0 or 1 = one */
	__u8 bytes[SAMPLE_LONG]; /* truncated to sample_size in the record */
};

/* Room for a netlink message of nft's trace (NFT_MSG_TRACE), whole: nlmsghdr, nfgenmsg, attributes. */
#define NFT_MESSAGE_SHORT  192	/* a rule in a chain of usual names */
#define NFT_MESSAGE_MEDIUM 384	/* the first of a hook, with the packet's headers and devices */
#define NFT_MESSAGE_LONG   1216	/* table, chain and target names of 255 bytes each */

/* A step through a chain as __nft_trace_packet() has it in its hands. */
struct nft_step {
	__u64 chain_addr;
	__u64 rule_addr;	/* 0 = no rule: a policy, or the end of a chain */
	__u64 rule_handle;
	__s32 code;		/* of the verdict: below 0 nft's own, from 0 on netfilter's */
	__s32 priority;		/* of the base chain */
	__u32 iif;
	__u32 oif;
	__u8 family;		/* NFPROTO_* of the table */
	__u8 pf;		/* NFPROTO_* of the packet */
	__u8 hook;		/* number, of pf */
	__u8 type;		/* enum nft_trace_types */
	__u8 chain_type;	/* enum nft_chain_types: filter, route, nat */
	__u8 stolen;		/* 1 = the packet was gone: no mark, no conntrack */
	__u16 name_size;	/* bytes of each of the three names that follow: table, chain, target of a jump */
};

#define NFT_NAME_SHORT 32	/* with the zero at the end */
#define NFT_NAME_LONG  256	/* NFT_NAME_MAXLEN */

/* What conntrack knew of the packet then; the tuples as the kernel keeps them (struct nf_conntrack_tuple). */
struct nft_conntrack {
	__u8 original[40];
	__u8 reply[40];
	__u32 status;		/* enum ip_conntrack_status */
	__u8 info;		/* enum ip_conntrack_info, 7 = untracked; or CONNTRACK_NONE */
	__u8 pad[3];
};

#define CONNTRACK_UNTRACKED 7	/* IP_CT_UNTRACKED: no tuples, no status */
#define CONNTRACK_NONE	    255	/* it did not know the packet, or the packet is not known */

/* .rodata of nft_probe.bpf.c, written before load. Argument positions; -1 = none, it is in nft_traceinfo. */
struct nft_probe_setup {
	__u32 netns;		/* whose verdicts are wanted */
	__u16 probe;		/* the row "nft:trace" of the catalog */
	__u16 chain_return;	/* the row "ret:nft_do_chain" */
	__u16 hook_return;	/* the row "ret:nf_hook_slow" */
	__s8 info_arg;
	__s8 pkt_arg;
	__s8 verdict_arg;
	__s8 rule_arg;
	__s8 chain_arg;
	__s8 type_arg;
	__s8 chain_pkt_arg;	/* of nft_do_chain: the nft_pktinfo */
	__s8 hook_skb_arg;	/* of nf_hook_slow: the packet */
	__u8 pad[2];
};

/* .rodata of nft_messages.bpf.c, written before load. */
struct nft_setup {
	__u32 netns;		/* whose messages the socket gets */
	__u16 probe;		/* the row "nft:trace" of the catalog */
	__u8 pad[2];
};

/* Tables that the product makes begin with this name; their rules are shown to nobody. */
#define OWN_TABLE "nftcluster"
#define OWN_TABLE_UNSEEN '_'	/* follows in tables whose chains may be the first to see a packet; else '-' */

struct task_sample {
	__u32 pid;
	__u32 pad;
	char comm[COMM_LENGTH];
};

/*
 * One step of a filter: optional load, then optional arithmetic, then optional test. Several
 * instructions of libpcap's classic BPF become one node (FilterTranslator.cs). Jumps are
 * relative to the filter's first node and always forward.
 */
enum filter_load {
	LOAD_NONE = 0,
	LOAD_ABS1, LOAD_ABS2, LOAD_ABS4,	/* A = packet[load_k], big endian, n bytes */
	LOAD_IND1, LOAD_IND2, LOAD_IND4,	/* A = packet[X + load_k] */
	LOAD_IMM,				/* A = load_k */
	LOAD_LEN,				/* A = frame length */
	LOAD_MEM,				/* A = M[load_k] */
	LOAD_X_IMM, LOAD_X_LEN, LOAD_X_MEM,	/* the same into X */
	LOAD_X_MSH,				/* X = 4 * (packet[load_k] & 0xf) */
	LOAD_TAX, LOAD_TXA,			/* X = A, A = X */
	LOAD_ST, LOAD_STX,			/* M[load_k] = A, = X */
};

enum filter_alu {
	ALU_NONE = 0,
	ALU_ADD, ALU_SUB, ALU_MUL, ALU_DIV, ALU_MOD, ALU_AND, ALU_OR, ALU_XOR, ALU_LSH, ALU_RSH, ALU_NEG,
};

enum filter_test {
	TEST_NONE = 0,		/* go on with the next node */
	TEST_JA,		/* go to jt */
	TEST_EQ, TEST_GT, TEST_GE, TEST_SET,	/* A ? operand: jt, else jf */
	TEST_RET_K,		/* the answer is test_k != 0 */
	TEST_RET_A,		/* the answer is A != 0 */
};

struct filter_node {
	__u32 load_k;
	__u32 alu_k;
	__u32 test_k;
	__u16 jt;
	__u16 jf;
	__u8 load;		/* enum filter_load */
	__u8 alu;		/* enum filter_alu */
	__u8 alu_x;		/* 1 = operand is X, 0 = alu_k */
	__u8 test;		/* enum filter_test */
	__u8 test_x;		/* 1 = operand is X, 0 = test_k */
	__u8 pad[3];
};

/* What one session wants: packets for which all of these hold. */
struct session_filter {
	__u32 netns;		/* 0 = any */
	__u32 ifindex;		/* 0 = any; at a door */
	__u32 mark;		/* skb->mark & mark_mask == mark; mark_mask 0 = any */
	__u32 mark_mask;
	__u32 first_node;	/* in filter_nodes */
	__u32 node_count;	/* 0 = every packet */
};

/*
 * A packet at a door: all that the filters' answer may depend on. No padding. In filter_reads, with
 * the same shape, the bits that it does depend on are ones.
 */
struct question {
	__u64 sessions;
	__u64 conntrack;
	__u32 filter_generation;
	__u32 frame_length;
	__u32 netns;
	__u32 ifindex;
	__u32 mark;
	__u32 valid;
	__u8 bytes[SAMPLE_LONG];
};

#define FILTER_READS 8	/* questions kept, by the low bits of filter_generation; a power of two */

/* One element: read by every program first. */
struct control {
	__u64 all_mask;		/* running sessions that take every packet of their namespace */
	__u64 filtered_mask;	/* running sessions that have to be asked */
	__u32 gate_netns;	/* the only namespace any session wants, 0 = several or any */
	__u32 wake_backlog;	/* bytes in the ring above which the reader is woken */
	__u64 verdict_mask;	/* running sessions that want nft's verdicts */
	__u32 filter_generation; /* counts changes of the filters; raised after each */
	__u32 pad;
};

/* Per CPU, cumulative, on cache lines of their own. */
struct cpu_counters {
	__u64 attempted;	/* records a program wanted to write */
	__u64 lost;		/* of those: the ring was full */
	__u64 evicted;		/* remembered packets overwritten while young */
	__u64 unattributed;	/* flows that did not certainly belong to the current packet */
	__u64 unasked;		/* packets at doors that no filter was asked about: no room left */
	__u64 untimed;		/* calls whose time is not told: another call took their slot */
	__u64 pad[2];
};

#endif
