/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the kernel says about the copies that a call made: its own accounts, and events.
 * Inline where it takes a task, which Linux 6.1 does not let a global function take.
 */
#ifndef ZC_COPIES_H
#define ZC_COPIES_H

#include "calls.bpf.h"

/* Ends that can have a disk behind them. */
#define ZC_KINDS_WITH_DISK (1U << ZC_FILE | 1U << ZC_FUSE | 1U << ZC_DEVICE)

#define ZC_TASK_SENT (ZC_TASK_SENT_PAGES | ZC_TASK_SENT_COPIES)

/* Without CONFIG_TASK_IO_ACCOUNTING user space shows neither figure. */
static __always_inline bool zc_io_accounted(const struct task_struct *task)
{
	return bpf_core_field_exists(task->ioac.read_bytes);
}

/* At the entry of a call in the row with this key. */
static __always_inline void zc_copies_begin(struct zc_task *state, const struct task_struct *task,
					    struct zc_key key)
{
	__u32 kinds = 1U << ZC_KEY_FROM(key) | 1U << ZC_KEY_TO(key);

	state->head.flags &= ~(ZC_TASK_CHARGED | ZC_TASK_DIRECT | ZC_TASK_SENT);
	if (!(kinds & ZC_KINDS_WITH_DISK) || !zc_io_accounted(task))
		return;
	state->head.disk_read = task->ioac.read_bytes;
	state->head.dirtied = task->ioac.write_bytes;
	state->head.flags |= ZC_TASK_CHARGED;
}

/*
 * Whether bytes went past the processor: with ZC_DIRECT between the caller's memory and a
 * disk, with ZC_OFFLOADS inside the file system. `charged`: bytes that the call read from disk
 * or made dirty. A file that was copied into has pages in memory, one that shares another's
 * blocks does not.
 */
static __always_inline bool zc_was_passed(struct zc_task *state, const struct task_struct *task,
					  struct pt_regs *regs, struct zc_key key, __u64 bytes,
					  __u64 charged)
{
	struct zc_args args;

	if (ZC_KEY_TRAITS(key) & ZC_OFFLOADS) {
		/* A direct write leaves no page. To clone, btrfs makes blocks of its own dirty. */
		if (ZC_KEY_TRAITS(key) & ZC_DIRECT && charged >= bytes)
			return false;
		args = zc_args_of(task, regs, state->head.flags & ZC_TASK_COMPAT);
		return zc_file_is_uncached(zc_current_file(args.arg[2]));
	}
	/* A buffered write is charged as well. */
	if (ZC_KEY_TO(key) == ZC_FILE && config.direct_seen &&
	    !(state->head.flags & ZC_TASK_DIRECT))
		return false;
	return charged >= bytes;
}

/*
 * Whether TCP said of the whole call what the row's bytes are expected to be: pages taken by
 * reference, or copies of the caller's memory. With TLS on top it is told of encrypted pages.
 */
static __always_inline bool zc_sent_as_expected(const struct zc_task *state, struct zc_key key)
{
	__u32 expected = ZC_KEY_FROM(key) == ZC_USER ? ZC_TASK_SENT_COPIES : ZC_TASK_SENT_PAGES;

	return (state->head.flags & ZC_TASK_SENT) == expected && ZC_KEY_PROTOCOL(key) == ZC_TCP &&
	       ZC_KEY_TO(key) == ZC_SOCKET;
}

/* At the exit of a call that moved that many bytes, or none. */
static __always_inline void zc_copies_end(struct zc_task *state, const struct task_struct *task,
					  struct pt_regs *regs, struct zc_row *row, __u64 bytes)
{
	struct zc_key *key = zc_task_key(state, state->head.slot);
	__u64 read, dirtied;

	if (!key)
		return;
	if (state->head.copied) {
		if (ZC_KEY_FROM(*key) == ZC_SOCKET)
			row->seen += state->head.copied;
		state->head.copied = 0;
	}
	if (state->head.flags & ZC_TASK_SENT) {
		if (zc_sent_as_expected(state, *key))
			row->seen += bytes;
		state->head.flags &= ~ZC_TASK_SENT;
	}
	if (state->head.flags & ZC_TASK_CHARGED) {
		read = task->ioac.read_bytes - state->head.disk_read;
		dirtied = task->ioac.write_bytes - state->head.dirtied;
		row->disk_read += read;
		row->dirtied += dirtied;
		if (bytes && ZC_KEY_TRAITS(*key) & (ZC_DIRECT | ZC_OFFLOADS) &&
		    zc_was_passed(state, task, regs, *key, bytes,
				  ZC_KEY_TO(*key) == ZC_FILE ? dirtied : read))
			row->seen += bytes;
		state->head.flags &= ~(ZC_TASK_CHARGED | ZC_TASK_DIRECT);
	}
	if (ZC_KEY_TRAITS(*key) & ZC_BY_REFERENCE)
		state->head.lent_slot = state->head.slot;
}

/* Counts sends by reference that the kernel has finished. */
static __always_inline void zc_sends_done(struct zc_task *state, bool copied, __u64 sends)
{
	struct zc_key *key = zc_task_key(state, state->head.lent_slot);

	/* Another row may have taken the slot. */
	if (key && state->head.lent_slot < state->head.used &&
	    ZC_KEY_TRAITS(*key) & ZC_BY_REFERENCE)
		zc_tally(state->head.account, key->word, copied ? ZC_TALLY_COPIED : ZC_TALLY_LENT,
			 sends);
}

/*
 * Reads what a recvmsg(MSG_ERRQUEUE) with the struct msghdr at `address` says of sends by
 * reference. 0: nothing; otherwise their number, and ZC_SENDS_COPIED if they were copied.
 */
#define ZC_SENDS_COPIED (1ULL << 32)
__u64 zc_finished_sends(__u64 address);

#endif
