/* SPDX-License-Identifier: GPL-2.0 */
/*
 * From registers to a row: which syscall it is, and the kinds of its descriptors. Inline
 * where it takes a task or registers, which Linux 6.1 does not let a global function take.
 */
#ifndef ZC_CALLS_H
#define ZC_CALLS_H

#include "bpf/requests/aio.bpf.h"
#include "call_number.bpf.h"
#include "clones.bpf.h"
#include "compat.bpf.h"
#include "bpf/channels/channels.bpf.h"
#include "bpf/pipes.bpf.h"
#include "bpf/rows.bpf.h"

#define MSG_PEEK 0x2
#define MSG_TRUNC 0x20
#define MSG_ERRQUEUE 0x2000
#define MSG_ZEROCOPY 0x4000000
#define MSG_SPLICE_PAGES 0x8000000

/* Index into config.calls[]; user space may pass any number. */
static __always_inline __u32 zc_call_index(long number)
{
	if (number < 0 || number >= ZC_CALL_UNKNOWN)
		return ZC_CALL_UNKNOWN;
	return number;
}

static __always_inline const volatile struct zc_call *zc_call_at(__u32 index)
{
	return &config.calls[index % ZC_MAX_SYSCALLS];
}

/* The same for a call of any table. */
static __always_inline __u32 zc_index_of(const struct task_struct *task, struct pt_regs *regs,
					 long number)
{
	__u32 argument = bpf_core_field_exists(regs->orig_ax) ? regs->bx : 0;

	if (zc_compat_call(task))
		return number < 0 ? ZC_CALL_UNKNOWN : zc_compat_index(number, argument);
	if (number >= 0 && number & ZC_X32_BIT)
		return ZC_CALL_UNKNOWN;
	return zc_call_index(number);
}

static __always_inline struct zc_args zc_args_of(const struct task_struct *task,
						 struct pt_regs *regs, bool compat)
{
	struct zc_args args = { {
		PT_REGS_PARM1_SYSCALL(regs),
		PT_REGS_PARM2_SYSCALL(regs),
		PT_REGS_PARM3_SYSCALL(regs),
		PT_REGS_PARM4_SYSCALL(regs),
	} };

	if (compat)
		zc_compat_args(task, regs, &args);
	return args;
}

/*
 * Whether a vmsplice with this descriptor takes bytes out of the pipe, which it does at the
 * reading end. A global function as in kinds.bpf.h.
 */
__u32 zc_takes_from(__u32 fd);

/* With config.channels, zc_task_call() then has the channel of an end that is a descriptor. */
static __always_inline __u64 zc_call_end(struct zc_task *state, const struct zc_args *args,
					 __u64 table, __u8 end, bool to)
{
	struct zc_channel *channel = 0;
	__u32 fd;

	switch (end) {
	case ZC_END_USER:
		return ZC_USER;
	case ZC_END_ARG0:
		fd = args->arg[0];
		break;
	case ZC_END_ARG1:
		fd = args->arg[1];
		break;
	case ZC_END_ARG2:
		fd = args->arg[2];
		break;
	default:
		return ZC_OTHER;
	}
	if (config.channels && state)
		channel = to ? &zc_task_call(state)->to : &zc_task_call(state)->from;
	return zc_fd_end(table, fd, channel);
}

/* Whether a call that receives throws the bytes away. */
static __always_inline bool zc_discards(const struct zc_args *args, __u8 result)
{
	__u64 flags = result == ZC_RESULT_RECVMSG ? args->arg[2] : args->arg[3];

	return flags & MSG_TRUNC && zc_file_discards(zc_current_file(args->arg[0]));
}

static __always_inline bool zc_receives(__u8 result)
{
	return result >= ZC_RESULT_RECV && result <= ZC_RESULT_RECVMMSG;
}

/* The traits of the sink of a call that sends: whether it lends the kernel the caller's memory. */
static __always_inline __u32 zc_lends(const struct zc_args *args, __u8 result)
{
	__u64 flags = result == ZC_RESULT_SENDMSG ? args->arg[2] : args->arg[3];
	__u64 file;

	if (!(flags & MSG_ZEROCOPY))
		return 0;
	file = zc_current_file(args->arg[0]);
	return zc_file_lends(file) ? ZC_BY_REFERENCE | zc_file_loops_back(file) : 0;
}

static __always_inline bool zc_sends(__u8 result)
{
	return result == ZC_RESULT_SENDTO || result == ZC_RESULT_SENDMSG ||
	       result == ZC_RESULT_SENDMMSG;
}

/* How zc_call_key() works. */
enum zc_key_flags {
	ZC_SWITCHING = 1,	/* the task is being switched out during the call */
	ZC_APART = 2,		/* rarely: in a function that the verifier checks once */
};

/* The row of a call whose descriptors are not simply arguments. */
static __always_inline struct zc_key zc_special_key(const struct zc_args *args, __u32 row,
						    __u8 result, __u32 flags)
{
	if (result == ZC_RESULT_CLONE_FILE) {
		if (zc_is_clone(args->arg[1]))
			return (struct zc_key){ zc_clone_key(args->arg[0], args->arg[1],
							     args->arg[2]) };
	} else if (result >= ZC_RESULT_AIO_SUBMIT && !(flags & ZC_SWITCHING)) {
		/*
		 * io_destroy() takes the ring away. Not during a switch: with interrupts off,
		 * a map can allocate only a few entries.
		 */
		zc_aio_look(args->arg[0]);
	}
	return ZC_KEY(row, ZC_OTHER, ZC_OTHER);
}

/* `state`: where the channels of its descriptors go; NULL: nowhere. */
static __always_inline struct zc_key zc_key_of_ends(struct zc_task *state,
						    struct zc_task_head *head,
						    const struct zc_args *args, __u64 table,
						    const volatile struct zc_call *call)
{
	__u64 from = zc_call_end(state, args, table, call->from, false);
	__u64 to = zc_call_end(state, args, table, call->to, true);
	__u8 result = call->result;

	if (result == ZC_RESULT_VMSPLICE && zc_takes_from(args->arg[0])) {
		from = to;
		to = ZC_USER;
	}
	if (ZC_END_PIPE(from) | ZC_END_PIPE(to))
		head->pipes = zc_pipes_use(head, from, to, result);
	if (zc_receives(result) && zc_discards(args, result))
		to = ZC_DISCARD;
	if (zc_sends(result))
		to |= ZC_END(0, 0, zc_lends(args, result));
	if (from == ZC_FILE && (ZC_END_KIND(to) == ZC_SOCKET || ZC_END_KIND(to) == ZC_PIPE))
		from |= ZC_END(0, 0, zc_file_has_no_pages(zc_current_file(
					     args->arg[call->from == ZC_END_ARG1])));
	/* copy_file_range(): no other call has a file at both ends and its sink there. */
	if (from == ZC_FILE && to == ZC_FILE && call->to == ZC_END_ARG2)
		to |= ZC_END(0, 0, zc_file_offloads(zc_current_file(args->arg[2])));
	return zc_key_of(call->row, from, to);
}

/* The word of that key, without channels. */
__u32 zc_word_of_ends(struct zc_task_head *head, const struct zc_args *args, __u64 table,
		      __u32 index);

/*
 * The row that the call of `task`, the current one, belongs to. Also begins to count what
 * it does with pipes. `flags`: of enum zc_key_flags.
 */
static __always_inline struct zc_key zc_call_key(struct zc_task *state, struct task_struct *task,
						 struct pt_regs *regs, __u32 index, __u32 flags)
{
	const volatile struct zc_call *call = zc_call_at(index);
	bool compat = state->head.flags & ZC_TASK_COMPAT;
	__u32 row = call->row;
	struct zc_args args;
	__u64 table;
	__u8 result;

	/* Most calls move no bytes and end here. */
	if (call->from == ZC_END_NONE)
		return ZC_KEY(row, ZC_OTHER, ZC_OTHER);
	args = zc_args_of(task, regs, compat);
	result = call->result;
	state->head.pipes = 0;
	if (result >= ZC_RESULT_CLONE_FILE)
		return zc_special_key(&args, row, result, flags);
	table = zc_number(state, config.rdonly_cast ? (void *)task : (void *)task->files->fdt);
	if (flags & ZC_APART && !config.channels)
		return (struct zc_key){ zc_word_of_ends(&state->head, &args, table, index) };
	return zc_key_of_ends(state, &state->head, &args, table, call);
}

static __always_inline struct zc_channel_use zc_call_channel(const struct zc_args *args, __u8 end)
{
	struct zc_channel_use none = {};

	switch (end) {
	case ZC_END_ARG0:
		return zc_channel_of(zc_current_file(args->arg[0]));
	case ZC_END_ARG1:
		return zc_channel_of(zc_current_file(args->arg[1]));
	case ZC_END_ARG2:
		return zc_channel_of(zc_current_file(args->arg[2]));
	default:
		return none;
	}
}

static __always_inline bool zc_end_repeats(__u8 end, const struct zc_channel *before,
					   const struct zc_channel *now)
{
	if (end < ZC_END_ARG0 || end > ZC_END_ARG2)
		return !before->inode;
	return zc_same_channel(before, now);
}

/*
 * Whether a call, whose key was made last, has the channels of its row's latest call: most have.
 * Those of calls that zc_call_key() does not look up are not known here.
 */
static __always_inline bool zc_channels_repeat(struct zc_task *state, __u32 index, __u32 slot)
{
	const volatile struct zc_call *call = zc_call_at(index);
	struct zc_call_channels *now = zc_task_call(state);
	struct zc_run *run = zc_task_run(state, slot);

	if (!run || call->result >= ZC_RESULT_VMSPLICE)
		return 0;
	return zc_end_repeats(call->from, &run->from, &now->from) &&
	       zc_end_repeats(call->to, &run->to, &now->to);
}

/* The same where the stack has no space for it. */
static __noinline __attribute__((unused)) int zc_channels_repeat_apart(struct zc_task *state,
								       __u32 index, __u32 slot)
{
	return zc_channels_repeat(state, index, slot);
}

/*
 * Tells the row of a call which files, pipes and sockets it counts for from now on. Not inlined:
 * the programs that call it have no space on their stacks (512 bytes with all nested calls).
 */
static __noinline __attribute__((unused)) int zc_channels_begin(struct zc_task *state,
								struct task_struct *task,
								struct pt_regs *regs, __u32 index,
								__u32 slot)
{
	const volatile struct zc_call *call = zc_call_at(index);
	struct zc_key *mine = zc_task_key(state, slot);
	struct zc_channel_uses uses = {};
	struct zc_args args;
	struct zc_key key;

	/* A restarted call has other arguments; its row has the channels still. */
	if (!mine || call->result == ZC_RESULT_RESTART)
		return 0;
	if (zc_channels_repeat_apart(state, index, slot))
		return 0;
	key = *mine;
	if (!zc_has_channel(ZC_KEY_FROM(key)) && !zc_has_channel(ZC_KEY_TO(key)))
		return 0;
	args = zc_args_of(task, regs, state->head.flags & ZC_TASK_COMPAT);
	if (call->result == ZC_RESULT_CLONE_FILE) {
		uses.to = zc_channel_of(zc_current_file(args.arg[0]));
		uses.from = zc_channel_of(
			zc_current_file(zc_clone_source(args.arg[1], args.arg[2])));
	} else {
		uses.from = zc_call_channel(&args, call->from);
		uses.to = zc_call_channel(&args, call->to);
	}
	/* vmsplice: the end of the pipe gives the direction. */
	if (ZC_KEY_TO(key) == ZC_USER) {
		if (!uses.from.file)
			uses.from = uses.to;
		uses.to = (struct zc_channel_use){};
	}
	zc_run_use_files(state, slot, key, &uses);
	return 0;
}

/* Does what zc_note_row() does, but for the channels. */
static __always_inline struct zc_key zc_note_key(struct zc_task *state, struct task_struct *task,
						 struct pt_regs *regs, __u32 index, __u32 flags)
{
	const volatile struct zc_call *call = zc_call_at(index);
	struct zc_key key = zc_call_key(state, task, regs, index, flags);
	__u32 slot;

	if (call->result == ZC_RESULT_RESTART && state->head.restartable)
		key = state->head.restarted;
	slot = zc_row_slot(state, key);
	state->head.slot = slot;
	state->head.call = index;
	return key;
}

/*
 * Notes the current task's call, and the slot of the row that it belongs to. Returns the key of
 * that row. `flags`: as in zc_call_key().
 */
static __always_inline struct zc_key zc_note_row(struct zc_task *state, struct task_struct *task,
						 struct pt_regs *regs, __u32 index, __u32 flags)
{
	struct zc_key key = zc_note_key(state, task, regs, index, flags);

	if (config.channels)
		zc_channels_begin(state, task, regs, index, state->head.slot);
	return key;
}

#endif
