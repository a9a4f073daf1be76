/* SPDX-License-Identifier: GPL-2.0 */
/* From a call's result to the bytes that it moved. Only called when it succeeded. */
#ifndef ZC_BYTES_H
#define ZC_BYTES_H

#include "calls.bpf.h"

#define MSG_PEEK 0x2
#define MSG_TRUNC 0x20
#define UIO_MAXIOV 1024

/* The 64-bit ABI's, the same on x86-64 and arm64. */
struct zc_user_iovec {
	__u64 base;
	__u64 length;
};

struct zc_user_msghdr {
	__u64 name;
	__u64 name_length;
	__u64 iov;
	__u64 iov_count;
	__u64 control;
	__u64 control_length;
	__u32 flags;
	__u32 pad;
};

struct zc_user_mmsghdr {
	struct zc_user_msghdr header;
	__u32 length;
	__u32 pad;
};

struct zc_length_sum {
	__u64 address;
	__u64 bytes;
	bool capped;	/* MSG_TRUNC: a length may exceed what fitted */
};

struct zc_room {
	__u64 iov;
	__u64 bytes;
};

static long zc_add_room(__u32 index, struct zc_room *room)
{
	struct zc_user_iovec iov = {};

	if (bpf_probe_read_user(&iov, sizeof(iov), (void *)(room->iov + index * sizeof(iov)))) {
		zc_lose(ZC_LOST_MESSAGE_LENGTHS, 1);
		return 1;
	}
	room->bytes += iov.length;
	return 0;
}

/* Room in a message's buffers; the result under MSG_TRUNC may exceed it. */
static __noinline __u64 zc_message_room(__u64 address)
{
	struct zc_user_msghdr header = {};
	struct zc_room room = {};

	if (bpf_probe_read_user(&header, sizeof(header), (void *)address)) {
		zc_lose(ZC_LOST_MESSAGE_LENGTHS, 1);
		return 0;
	}
	room.iov = header.iov;
	bpf_loop(header.iov_count < UIO_MAXIOV ? header.iov_count : UIO_MAXIOV, zc_add_room,
		 &room, 0);
	return room.bytes;
}

static long zc_add_length(__u32 index, struct zc_length_sum *sum)
{
	__u64 address = sum->address + index * sizeof(struct zc_user_mmsghdr);
	__u64 room;
	__u32 length = 0;

	if (bpf_probe_read_user(&length, sizeof(length),
				(void *)(address + __builtin_offsetof(struct zc_user_mmsghdr,
								      length)))) {
		zc_lose(ZC_LOST_MESSAGE_LENGTHS, 1);
		return 0;
	}
	if (sum->capped) {
		room = zc_message_room(address);
		length = length < room ? length : room;
	}
	sum->bytes += length;
	return 0;
}

static __noinline __u64 zc_message_lengths(__u64 address, __u64 messages, __u64 flags)
{
	struct zc_length_sum sum = { .address = address, .capped = flags & MSG_TRUNC };

	bpf_loop(messages < UIO_MAXIOV ? messages : UIO_MAXIOV, zc_add_length, &sum, 0);
	return sum.bytes;
}

static __noinline __u64 zc_cloned_bytes(const struct task_struct *task, __u32 request,
					__u64 argument)
{
	struct {
		__s64 fd;
		__u64 offset;
		__u64 length;
	} range = {};
	struct file *source;
	__u64 size;

	if (request == FICLONERANGE)
		bpf_probe_read_user(&range, sizeof(range), (void *)argument);
	if (range.length)
		return range.length;
	/* All that lies behind the offset: a length of 0, or no range. */
	source = zc_task_file(task, zc_clone_source(request, argument));
	size = source ? BPF_CORE_READ(source, f_inode, i_size) : 0;
	return size > range.offset ? size - range.offset : 0;
}

/* `ret` is not negative. */
static __always_inline __u64 zc_call_bytes(const struct task_struct *task, struct pt_regs *regs,
					   __u8 result, __u64 ret)
{
	struct zc_args args;
	__u64 room = ret;

	if (result == ZC_RESULT_BYTES || result == ZC_RESULT_VMSPLICE)
		return ret;
	args = zc_args_of(regs);
	switch (result) {
	case ZC_RESULT_RECV:
		/* Peeked bytes stay where they are; they count when they are taken. */
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
		       zc_cloned_bytes(task, args.arg[1], args.arg[2]) : 0;
	default:
		return 0;
	}
}

#endif
