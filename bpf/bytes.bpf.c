// SPDX-License-Identifier: GPL-2.0
/* Calls whose bytes or ends lie in structures of their own: messages, clones, vmsplice. */
#include "bytes.bpf.h"

#define FMODE_WRITE 0x2
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

/* vmsplice moves into a pipe's writing end, and out of its reading end. */
__u32 zc_vmsplice_key(__u32 fd, __u32 row)
{
	struct file *file = zc_current_file(fd);
	__u32 kind = zc_file_kind((__u64)file);

	if (file && !(BPF_CORE_READ(file, f_mode) & FMODE_WRITE))
		return ZC_KEY(row, kind, ZC_USER).word;
	return ZC_KEY(row, ZC_USER, kind).word;
}

static __always_inline int zc_clone_source(__u32 request, __u64 argument)
{
	long long fd = -1;

	if (request == FICLONE)
		return argument;
	/* struct file_clone_range begins with the source's descriptor. */
	bpf_probe_read_user(&fd, sizeof(fd), (void *)argument);
	return fd;
}

__u32 zc_clone_key(__u32 fd, __u32 request, __u64 argument)
{
	__u32 from = zc_current_fd_kind(zc_clone_source(request, argument));
	__u32 to = zc_current_fd_kind(fd);

	return ZC_KEY(request == FICLONE ? ficlone_row : ficlonerange_row, from, to).word;
}

__u64 zc_cloned_bytes(__u32 request, __u64 argument)
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
	source = zc_current_file(zc_clone_source(request, argument));
	size = source ? BPF_CORE_READ(source, f_inode, i_size) : 0;
	return size > range.offset ? size - range.offset : 0;
}
