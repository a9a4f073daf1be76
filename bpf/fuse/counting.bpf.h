/* SPDX-License-Identifier: GPL-2.0 */
/* Counters of `zctrace fuse`, and what the connections of one user may take of the maps. */
#ifndef ZC_FUSE_COUNTING_H
#define ZC_FUSE_COUNTING_H

#include "maps.bpf.h"

extern const volatile struct zc_fuse_config config;
extern __u64 losses[ZC_FUSE_LOSSES];
extern struct zc_fuse_share shares[ZC_FUSE_SHARES];
extern __u32 latest_connection;

#define zc_add(counter, amount) __sync_fetch_and_add(&(counter), amount)
#define zc_lose(reason) zc_add(losses[reason], 1)

/* Takes an entry of a share. Returns whether there was one; if not, nothing changed. */
#define zc_take(share, entries, most) \
	(zc_add((share)->entries, 1) < (most) ? true : (zc_add((share)->entries, -1), false))

static __always_inline struct zc_fuse_share *share_at(__u32 index)
{
	return &shares[index % ZC_FUSE_SHARES];
}

/* Gives up when other CPUs raise it again and again. */
static __always_inline void raise_to(__u64 *greatest, __u64 value)
{
	for (int i = 0; i < 16; i++) {
		__u64 seen = *(volatile __u64 *)greatest;

		if (value <= seen || __sync_val_compare_and_swap(greatest, seen, value) == seen)
			return;
	}
}

#endif
