/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Takes a stack for each `stacks_every` bytes that a CPU moves for observed tasks: one for a byte at
 * random of each so many, so that a program which repeats a pattern is seen in all of its parts.
 */
#ifndef ZC_STACKS_H
#define ZC_STACKS_H

#include "bpf/tasks.bpf.h"

#include "stack_records.h"

/* 0: no stacks. Then the verifier drops all of this. */
extern const volatile __u64 stacks_every;

/*
 * A row of the account has `bytes` bytes more. `key`: zc_key::word; `flags`: enum zc_stack_flags.
 * A global function, see docs/design.md.
 */
int zc_stack_count(__u64 account, __u32 key, __u64 bytes, __u32 flags);

static __always_inline void zc_stacks_moved(struct zc_task *state, __u32 slot, __u64 bytes,
					    __u32 flags)
{
	struct zc_key *key;

	if (!stacks_every || !bytes)
		return;
	key = zc_task_key(state, slot);
	if (key)
		zc_stack_count(state->head.account, key->word, bytes, flags);
}

#endif
