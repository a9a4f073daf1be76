/* SPDX-License-Identifier: GPL-2.0 */
/* From the result of a call that succeeded to the bytes that it moved. */
#ifndef ZC_BYTES_H
#define ZC_BYTES_H

#include "calls.bpf.h"

#define MSG_PEEK 0x2
#define MSG_TRUNC 0x20

/* The size of the buffers of the message at `address`. */
__u64 zc_message_room(__u64 address);
/* The sum of the messages' lengths; with MSG_TRUNC in `flags`, of the parts that fitted. */
__u64 zc_message_lengths(__u64 address, __u64 messages, __u64 flags);

/* `ret` is not negative. */
static __always_inline __u64 zc_call_bytes(struct pt_regs *regs, __u8 result, __u64 ret)
{
	struct zc_args args;
	__u64 room = ret;

	if (result == ZC_RESULT_BYTES || result == ZC_RESULT_VMSPLICE)
		return ret;
	args = zc_args_of(regs);
	switch (result) {
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
			room = zc_message_room(args.arg[1]);
		return room < ret ? room : ret;
	case ZC_RESULT_RECVMMSG:
		if (args.arg[3] & MSG_PEEK)
			return 0;
		return zc_message_lengths(args.arg[1], ret, args.arg[3]);
	case ZC_RESULT_SENDMMSG:
		return zc_message_lengths(args.arg[1], ret, 0);
	case ZC_RESULT_CLONE_FILE:
		return zc_is_clone(args.arg[1]) ?
		       zc_cloned_bytes(args.arg[1], args.arg[2]) : 0;
	default:
		return 0;
	}
}

#endif
