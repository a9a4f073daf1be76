// SPDX-License-Identifier: GPL-2.0
/* Sums of the lengths that sendmmsg, recvmmsg and recvmsg leave in user memory. */
#include "bytes.bpf.h"

#define UIO_MAXIOV 1024

/* Those of the 64-bit ABI, the same on x86-64 and arm64. */
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
	bool capped;	/* MSG_TRUNC: a length may exceed the buffers */
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

__u64 zc_message_room(__u64 address)
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

__u64 zc_message_lengths(__u64 address, __u64 messages, __u64 flags)
{
	struct zc_length_sum sum = { .address = address, .capped = flags & MSG_TRUNC };

	bpf_loop(messages < UIO_MAXIOV ? messages : UIO_MAXIOV, zc_add_length, &sum, 0);
	return sum.bytes;
}
