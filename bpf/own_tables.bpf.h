/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Tables that the product makes: what their rules say of a packet is shown to nobody. */
#ifndef OWN_TABLES_BPF_H
#define OWN_TABLES_BPF_H

#include "kernel_types.h"
#include "trace_abi.h"
#include <bpf/bpf_helpers.h>

enum table_owner {
	TABLE_FOREIGN,
	TABLE_OURS,
	TABLE_OURS_UNSEEN,	/* its chains may be the first to see a packet */
};

/* name: as many bytes as OWN_TABLE has, and one more, may be read. */
static __always_inline __u32 owner_of(const __u8 *name)
{
	const char own[] = OWN_TABLE;
	__u8 differs = 0;

#pragma unroll
	for (int i = 0; i < sizeof(own) - 1; i++)
		differs |= name[i] ^ own[i];
	if (differs)
		return TABLE_FOREIGN;
	return name[sizeof(own) - 1] == OWN_TABLE_UNSEEN ? TABLE_OURS_UNSEEN : TABLE_OURS;
}

#endif
