/* SPDX-License-Identifier: GPL-2.0 */
/* From the result of a call that succeeded to the bytes that it moved. */
#ifndef ZC_BYTES_H
#define ZC_BYTES_H

#include "calls.bpf.h"

/* Messages have another layout in 32-bit programs. */
struct zc_messages {
	__u64 address;
	__u32 count;
	__u32 compat;
	__u32 truncated;	/* a length may exceed the buffers where MSG_TRUNC is set */
	__u32 packet;		/* any may, see zc_file_is_packet() */
};

/* The size of the buffers of one message, and of those in a struct iovec array. */
__u64 zc_message_room(__u64 address, __u32 compat);
__u64 zc_iovecs_room(__u64 iov, __u64 count, __u32 compat);
/* The size of its name and control data. */
__u64 zc_message_prefix(__u64 address);
/* The address of a message in the array that starts at `address`. */
__u64 zc_message_at(__u64 address, __u32 index, __u32 compat);
/*
 * The sum of the lengths that the kernel left in the caller's memory, as far as the messages
 * fitted into their buffers. The caller may have overwritten them.
 */
__u64 zc_claimed_lengths(const struct zc_messages *messages);

/* What messages.bpf.c counted since the last call of this kind ended. */
static __always_inline __u64 zc_take_messages(struct zc_task *state)
{
	__u64 bytes = state->head.messages ? state->head.message_bytes : 0;

	state->head.message_bytes = 0;
	state->head.messages = 0;
	return bytes;
}

/* `ret` is not negative. */
static __always_inline __u64 zc_call_bytes(struct zc_task *state, const struct task_struct *task,
					   struct pt_regs *regs, __u8 result, __u64 ret,
					   bool compat)
{
	struct zc_messages messages = {};
	__u32 seen;
	struct zc_args args;
	__u64 room = ret;

	/* Most calls. Tested first, so that they pay for no other comparison. */
	if (result == ZC_RESULT_BYTES)
		return ret;
	barrier_var(result);
	if (result == ZC_RESULT_VMSPLICE || result == ZC_RESULT_TEE)
		return ret;
	args = zc_args_of(task, regs, compat);
	switch (result) {
	case ZC_RESULT_LENGTH:
		return args.arg[2];
	case ZC_RESULT_SENDTO:
		/* Only frames of a packet socket's ring exceed it; the call does not copy them. */
		return args.arg[2] < ret ? args.arg[2] : ret;
	case ZC_RESULT_SENDMSG:
		if (ret && zc_file_is_packet(zc_current_file(args.arg[0])))
			room = zc_message_room(args.arg[1], compat);
		return room < ret ? room : ret;
	case ZC_RESULT_RECV:
		/* Peeked bytes stay in the socket; they count when they are taken. */
		if (args.arg[3] & MSG_PEEK)
			return 0;
		if (args.arg[3] & MSG_TRUNC)
			room = args.arg[2];
		return room < ret ? room : ret;
	case ZC_RESULT_RECVMSG:
		if (args.arg[2] & MSG_PEEK)
			return 0;
		if (args.arg[2] & MSG_TRUNC)
			room = zc_message_room(args.arg[1], compat);
		return room < ret ? room : ret;
	case ZC_RESULT_RECVMMSG:
		if (args.arg[3] & MSG_PEEK) {
			zc_take_messages(state);
			return 0;
		}
		messages.truncated = args.arg[3] & MSG_TRUNC;
		break;
	case ZC_RESULT_SENDMMSG:
		messages.packet = zc_file_is_packet(zc_current_file(args.arg[0]));
		break;
	case ZC_RESULT_CLONE_FILE:
		return zc_is_clone(args.arg[1]) ?
		       zc_cloned_bytes(args.arg[1], args.arg[2]) : 0;
	/* The requests move bytes, not these calls. */
	case ZC_RESULT_AIO_SET_UP:
		return zc_aio_set_up(args.arg[1]);
	case ZC_RESULT_AIO_SUBMIT:
		/* First count what has already completed. */
		if (zc_aio_look(args.arg[0]))
			return zc_aio_submitted(args.arg[0], args.arg[2], ret, compat);
		zc_lose(ZC_LOST_AIO_RESULTS, ret);
		return 0;
	case ZC_RESULT_AIO_REAP:
		zc_aio_look(args.arg[0]);
		return 0;
	case ZC_RESULT_AIO_DESTROY:
		return zc_aio_forget(args.arg[0]);
	default:
		return 0;
	}
	/* Those that were moved before observation began, or all if the kernel does not tell. */
	seen = state->head.messages;
	messages.count = ret > seen ? ret - seen : 0;
	messages.address = args.arg[1];
	messages.compat = compat;
	return zc_take_messages(state) + (messages.count ? zc_claimed_lengths(&messages) : 0);
}

#endif
