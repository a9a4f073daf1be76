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

/* Notes the size of the file that the call writes to. */
static __noinline __attribute__((unused)) int zc_size_begins(struct zc_task *state,
							     const struct task_struct *task,
							     struct pt_regs *regs)
{
	struct zc_args args = zc_args_of(task, regs, state->head.flags & ZC_TASK_COMPAT);

	state->head.message_bytes = zc_file_size(zc_current_file(args.arg[2]));
	return 0;
}

/* At the entry of a call in the row with this key. */
static __always_inline void zc_copies_begin(struct zc_task *state, const struct task_struct *task,
					    struct pt_regs *regs, struct zc_key key)
{
	__u32 kinds = 1U << ZC_KEY_FROM(key) | 1U << ZC_KEY_TO(key);

	state->head.flags &= ~(ZC_TASK_CHARGED | ZC_TASK_DIRECT | ZC_TASK_SENT);
	if (!(kinds & ZC_KINDS_WITH_DISK) || !zc_io_accounted(task))
		return;
	state->head.disk_read = task->ioac.read_bytes;
	state->head.dirtied = task->ioac.write_bytes;
	state->head.flags |= ZC_TASK_CHARGED;
	if (ZC_KEY_TRAITS(key) & ZC_OFFLOADS)
		zc_size_begins(state, task, regs);
}

/* Whether the call changes its second end's file or block device. */
static __always_inline bool zc_makes_dirty(struct zc_key key)
{
	return ZC_KEY_TO(key) == ZC_FILE ||
	       (ZC_KEY_TO(key) == ZC_DEVICE && ZC_KEY_TRAITS(key) & ZC_BLOCK);
}

/*
 * Whether the file system cloned the bytes, or copied them below. `charged`: bytes that became
 * dirty. A copy makes pages, of which a clone leaves none, and pages behind what was the end of
 * the file must become dirty.
 */
static __noinline __attribute__((unused)) int zc_was_cloned(struct zc_task *state,
							    const struct task_struct *task,
							    struct pt_regs *regs, __u64 bytes,
							    __u64 charged)
{
	struct zc_args args = zc_args_of(task, regs, state->head.flags & ZC_TASK_COMPAT);
	__u64 file = zc_current_file(args.arg[2]);

	/* To clone, btrfs makes blocks of its own dirty. */
	if (zc_file_is_uncached(file))
		return true;
	return !charged && zc_file_size(file) >= state->head.message_bytes + bytes;
}

/*
 * Whether a direct call went between the caller's memory and the disk. `charged`: bytes that it
 * read from the disk or made dirty.
 */
static __noinline __attribute__((unused)) int zc_was_direct(struct zc_task *state,
							    const struct task_struct *task,
							    struct pt_regs *regs, __u64 bytes,
							    __u64 charged)
{
	struct zc_key *key = zc_task_key(state, state->head.slot);
	struct zc_args args;

	if (!key)
		return false;
	/* Block devices begin theirs without an event. */
	if (ZC_KEY_TRAITS(*key) & ZC_BLOCK || !config.direct_seen)
		return charged >= bytes;
	/* Calls that use the page cache are charged as well. */
	if (!(state->head.flags & ZC_TASK_DIRECT))
		return false;
	if (charged >= bytes || ZC_KEY_TO(*key) == ZC_FILE)
		return charged >= bytes;
	args = zc_args_of(task, regs, state->head.flags & ZC_TASK_COMPAT);
	return zc_file_reads_direct(zc_current_file(args.arg[0]));
}

/*
 * The bytes of a call that are known to have been passed by (ZC_DIRECT, ZC_OFFLOADS), or else
 * copied into pages.
 */
static __always_inline __u64 zc_vouched(struct zc_task *state, const struct task_struct *task,
					struct pt_regs *regs, struct zc_key key, __u64 bytes,
					__u64 read, __u64 dirtied)
{
	bool writes = zc_makes_dirty(key);

	if (ZC_KEY_TRAITS(key) & ZC_OFFLOADS) {
		/* A direct write leaves no page. */
		if (ZC_KEY_TRAITS(key) & ZC_DIRECT && dirtied >= bytes)
			return 0;
		return zc_was_cloned(state, task, regs, bytes, dirtied) ? bytes : 0;
	}
	if (ZC_KEY_TRAITS(key) & ZC_DIRECT)
		return zc_was_direct(state, task, regs, bytes, writes ? dirtied : read) ? bytes : 0;
	if (!writes)
		return 0;
	return dirtied < bytes ? dirtied : bytes;
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

/* Notes that the row with the key `word` lent memory to the socket with this inode number. */
int zc_note_lender(__u64 socket, __u64 account, __u32 word);

/* After a send by reference: another thread may read of its end. */
static __noinline __attribute__((unused)) int zc_has_lent(struct zc_task *state,
							  const struct task_struct *task,
							  struct pt_regs *regs)
{
	struct zc_args args = zc_args_of(task, regs, state->head.flags & ZC_TASK_COMPAT);
	struct zc_key *key = zc_task_key(state, state->head.slot);

	state->head.lent_slot = state->head.slot;
	if (key)
		zc_note_lender(zc_file_number(zc_current_file(args.arg[0])), state->head.account,
			       key->word);
	return 0;
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
		if (bytes)
			row->seen += zc_vouched(state, task, regs, *key, bytes, read, dirtied);
		if (ZC_KEY_TRAITS(*key) & ZC_OFFLOADS)
			state->head.message_bytes = 0;
		state->head.flags &= ~(ZC_TASK_CHARGED | ZC_TASK_DIRECT);
	}
	if (ZC_KEY_TRAITS(*key) & ZC_BY_REFERENCE)
		zc_has_lent(state, task, regs);
}

/*
 * Counts sends by reference that the kernel has finished. `socket`: its inode number; 0: the row
 * is that of the task's latest such send.
 */
static __always_inline void zc_sends_done(struct zc_task *state, __u64 socket, bool copied,
					  __u64 sends)
{
	struct zc_lender *lender = socket ? bpf_map_lookup_elem(&lenders, &socket) : 0;
	struct zc_key *key = zc_task_key(state, state->head.lent_slot);

	if (lender) {
		zc_tally(lender->account, lender->key.word,
			 copied ? ZC_TALLY_COPIED : ZC_TALLY_LENT, sends);
		return;
	}
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
