// SPDX-License-Identifier: GPL-2.0
/* Sums of the lengths that sendmmsg, recvmmsg and recvmsg leave in user memory. */
#include "bytes.bpf.h"

#define UIO_MAXIOV 1024

/* Those of the 64-bit ABI are the same on x86-64 and arm64. */
struct zc_user_iovec {
	__u64 base;
	__u64 length;
};

struct zc_user_msghdr {
	__u64 name;
	__u32 name_length;
	__u32 name_pad;
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

struct zc_compat_iovec {
	__u32 base;
	__u32 length;
};

struct zc_compat_msghdr {
	__u32 name;
	__u32 name_length;
	__u32 iov;
	__u32 iov_count;
	__u32 control;
	__u32 control_length;
	__u32 flags;
};

struct zc_compat_mmsghdr {
	struct zc_compat_msghdr header;
	__u32 length;
};

struct zc_length_sum {
	__u64 address;
	__u64 bytes;
	bool capped;	/* MSG_TRUNC: a length may exceed the buffers */
	bool compat;
};

struct zc_room {
	__u64 iov;
	__u64 bytes;
	bool compat;
};

static __always_inline long zc_read_failed(void)
{
	zc_lose(ZC_LOST_MESSAGE_LENGTHS, 1);
	return 1;
}

static long zc_add_room(__u32 index, struct zc_room *room)
{
	struct zc_compat_iovec narrow = {};
	struct zc_user_iovec iov = {};

	if (room->compat) {
		if (bpf_probe_read_user(&narrow, sizeof(narrow),
					(void *)(room->iov + index * sizeof(narrow))))
			return zc_read_failed();
		room->bytes += narrow.length;
		return 0;
	}
	if (bpf_probe_read_user(&iov, sizeof(iov), (void *)(room->iov + index * sizeof(iov))))
		return zc_read_failed();
	room->bytes += iov.length;
	return 0;
}

__u64 zc_message_room(__u64 address, __u32 compat)
{
	struct zc_compat_msghdr narrow = {};
	struct zc_user_msghdr header = {};
	struct zc_room room = { .compat = compat };
	__u64 count;

	if (compat) {
		if (bpf_probe_read_user(&narrow, sizeof(narrow), (void *)address)) {
			zc_read_failed();
			return 0;
		}
		room.iov = narrow.iov;
		count = narrow.iov_count;
	} else {
		if (bpf_probe_read_user(&header, sizeof(header), (void *)address)) {
			zc_read_failed();
			return 0;
		}
		room.iov = header.iov;
		count = header.iov_count;
	}
	bpf_loop(count < UIO_MAXIOV ? count : UIO_MAXIOV, zc_add_room, &room, 0);
	return room.bytes;
}

__u64 zc_message_prefix(__u64 address)
{
	struct zc_user_msghdr header = {};

	if (bpf_probe_read_user(&header, sizeof(header), (void *)address)) {
		zc_read_failed();
		return 0;
	}
	return header.name_length + header.control_length;
}

static long zc_add_length(__u32 index, struct zc_length_sum *sum)
{
	__u64 address = sum->address, at = 0;
	__u32 length = 0;
	__u64 room;

	if (sum->compat) {
		address += index * sizeof(struct zc_compat_mmsghdr);
		at = __builtin_offsetof(struct zc_compat_mmsghdr, length);
	} else {
		address += index * sizeof(struct zc_user_mmsghdr);
		at = __builtin_offsetof(struct zc_user_mmsghdr, length);
	}
	if (bpf_probe_read_user(&length, sizeof(length), (void *)(address + at))) {
		zc_read_failed();
		return 0;
	}
	if (sum->capped) {
		room = zc_message_room(address, sum->compat);
		length = length < room ? length : room;
	}
	sum->bytes += length;
	return 0;
}

__u64 zc_message_lengths(const struct zc_messages *messages)
{
	struct zc_length_sum sum = {};
	__u32 count;

	if (!messages)
		return 0;
	sum.address = messages->address;
	sum.capped = messages->flags & MSG_TRUNC;
	sum.compat = messages->compat;
	count = messages->count;
	bpf_loop(count < UIO_MAXIOV ? count : UIO_MAXIOV, zc_add_length, &sum, 0);
	return sum.bytes;
}
