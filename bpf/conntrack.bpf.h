/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What conntrack knows of a packet, read from skb->_nfct. Its id is not here: the kernel makes it by
 * a keyed hash when it is asked.
 */
#ifndef CONNTRACK_BPF_H
#define CONNTRACK_BPF_H

#include "kernel_types.h"
#include "trace_abi.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

/* Writes every byte: `to` lies in the ring. An skb of 0 is not known. */
static __always_inline void conntrack_read(struct sk_buff *skb, struct nft_conntrack *to)
{
	unsigned long nfct = skb ? BPF_CORE_READ(skb, _nfct) : 0;
	struct nf_conn *conn = (void *)(nfct & ~NFCT_INFOMASK);
	unsigned long status = 0;
	void *tuples;

	__builtin_memset(to, 0, sizeof(*to));
	to->info = CONNTRACK_NONE;
	if (!conn) {
		if ((nfct & NFCT_INFOMASK) == CONNTRACK_UNTRACKED)
			to->info = CONNTRACK_UNTRACKED;
		return;
	}
	if (!bpf_core_field_exists(struct nf_conn, status))
		return;
	bpf_core_read(&status, sizeof(status), &conn->status);
	/* struct nf_conntrack_tuple_hash, twice: a hlist_nulls_node (two pointers), then the tuple */
	tuples = (void *)conn + bpf_core_field_offset(struct nf_conn, tuplehash) + 2 * sizeof(void *);
	_Static_assert(sizeof(struct conntrack_tuple) == sizeof(to->original), "one tuple");
	if (bpf_probe_read_kernel(to->original, sizeof(to->original), tuples) ||
	    bpf_probe_read_kernel(to->reply, sizeof(to->reply),
				  tuples + sizeof(to->original) + 2 * sizeof(void *)))
		return;
	to->status = status;
	to->info = nfct & NFCT_INFOMASK;
}

#endif
