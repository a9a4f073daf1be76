/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Notices bytes that a process reads and writes again unchanged. Each process has a list of the
 * memory that it read into most recently, with a few of the bytes that it found there. What it
 * then writes from the same memory, if these bytes are still the same, it only passed on. So what
 * is counted is a lower bound. Only with config.relays, which needs config.channels.
 */
#ifndef ZC_RELAYS_H
#define ZC_RELAYS_H

#include "bpf/calls/calls.bpf.h"

/* Counts what the call described by the map `moved` passed on, or notes what it read. */
int zc_relay(void);

/* Only between these can bytes stay in the kernel. Some devices take pages, and others do not. */
static __always_inline bool zc_relay_end(__u32 kind)
{
	return kind == ZC_FILE || kind == ZC_SOCKET || kind == ZC_PIPE || kind == ZC_FUSE;
}

static __always_inline __u32 zc_relay_other_end(struct zc_key key)
{
	return ZC_KEY_FROM(key) == ZC_USER ? ZC_KEY_TO(key) : ZC_KEY_FROM(key);
}

/*
 * At the exit of a call that moved that many bytes. Not inlined for the same reason as
 * zc_channels_begin().
 */
static __noinline __attribute__((unused)) int zc_relay_call(struct zc_task *state,
							    struct pt_regs *regs, __u64 bytes)
{
	const volatile struct zc_call *call = zc_call_at(state->head.call);
	struct zc_key *key = zc_task_key(state, state->head.slot);
	struct zc_run *run = zc_task_run(state, state->head.slot);
	struct zc_moved *moved;
	__u32 only = 0;

	if (!key || !run || call->memory == ZC_MEMORY_NONE)
		return 0;
	/* Those of 32-bit programs are not followed. */
	if (state->head.flags & ZC_TASK_COMPAT)
		return 0;
	if (ZC_KEY_FROM(*key) == ZC_USER && !zc_relay_end(ZC_KEY_TO(*key)))
		return 0;
	if (ZC_KEY_FROM(*key) != ZC_USER && ZC_KEY_TO(*key) != ZC_USER)
		return 0;
	moved = bpf_map_lookup_elem(&moved_bytes, &only);
	if (!moved)
		return 0;
	moved->writes = ZC_KEY_FROM(*key) == ZC_USER;
	moved->forgets = !zc_relay_end(zc_relay_other_end(*key));
	moved->channel = moved->writes ? run->to : run->from;
	moved->account = state->head.account;
	moved->memory = call->memory;
	moved->address = PT_REGS_PARM2_SYSCALL(regs);
	moved->count = PT_REGS_PARM3_SYSCALL(regs);
	moved->bytes = bytes;
	moved->key = *key;
	moved->matched = 0;
	moved->appends = 0;
	if (moved->writes && (ZC_KEY_TO(*key) == ZC_FILE || ZC_KEY_TO(*key) == ZC_FUSE))
		moved->appends = zc_file_appends(zc_current_file(PT_REGS_PARM1_SYSCALL(regs)));
	return zc_relay();
}

#endif
