/* SPDX-License-Identifier: GPL-2.0 */
/* From the result of a call that succeeded to the bytes that it moved. */
#ifndef ZC_BYTES_H
#define ZC_BYTES_H

#include "calls.bpf.h"

/* Messages have another layout in 32-bit programs. */
struct zc_messages {
	__u64 address;
	__u32 count;
	__u32 flags;
	__u32 compat;
	__u32 pad;
};

/* The size of the buffers of one message. */
__u64 zc_message_room(__u64 address, __u32 compat);
/* The size of its name and control data. */
__u64 zc_message_prefix(__u64 address);
/* The sum of the messages' lengths; with MSG_TRUNC in `flags`, of the parts that fitted. */
__u64 zc_message_lengths(const struct zc_messages *messages);

/* `ret` is not negative. */
static __always_inline __u64 zc_call_bytes(const struct task_struct *task, struct pt_regs *regs,
					   __u8 result, __u64 ret, bool compat)
{
	struct zc_messages messages = {};
	struct zc_args args;
	__u64 room = ret;

	/* Most calls; alone, so that they pay for no other comparison. */
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
		/* More than its buffer only of a packet socket's ring: not copied by the call. */
		return args.arg[2] < ret ? args.arg[2] : ret;
	case ZC_RESULT_SENDMSG:
		if (ret && zc_file_is_packet((__u64)zc_current_file(args.arg[0])))
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
		if (args.arg[3] & MSG_PEEK)
			return 0;
		messages.flags = args.arg[3];
		break;
	case ZC_RESULT_SENDMMSG:
		if (zc_file_is_packet((__u64)zc_current_file(args.arg[0])))
			messages.flags = MSG_TRUNC;
		break;
	case ZC_RESULT_CLONE_FILE:
		return zc_is_clone(args.arg[1]) ?
		       zc_cloned_bytes(args.arg[1], args.arg[2]) : 0;
	/* Their requests move bytes, not they. */
	case ZC_RESULT_AIO_SET_UP:
		return zc_aio_set_up(args.arg[1]);
	case ZC_RESULT_AIO_SUBMIT:
		/* What has completed already, first. */
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
	messages.address = args.arg[1];
	messages.count = ret;
	messages.compat = compat;
	return zc_message_lengths(&messages);
}

#endif
