/* SPDX-License-Identifier: GPL-2.0 */
/*
 * From a descriptor to the kind of thing that it is. These are global functions that
 * take numbers, so that the verifier checks them once and not at every call.
 */
#ifndef ZC_KINDS_H
#define ZC_KINDS_H

#include "tasks.bpf.h"

/*
 * One end of a call: its enum zc_kind and, for a pipe, which pipe. That is the device and
 * inode numbers, as long as they fit: a pipe's inode number has 32 bits. For all others, the
 * protocol (4 bits) and the traits (8 bits).
 */
#define ZC_END_KIND(end) ((__u32)(end) & 0xff)
#define ZC_END_PIPE(end) (ZC_END_KIND(end) == ZC_PIPE ? (end) >> 8 : 0)
#define ZC_END_REST(end) (ZC_END_KIND(end) == ZC_PIPE ? 0 : (__u32)((end) >> 8) & 0xfff)
#define ZC_END(kind, protocol, traits) ((__u64)(kind) | (protocol) << 8 | (traits) << 12)

static __always_inline struct zc_key zc_key_of(__u32 row, __u64 from, __u64 to)
{
	struct zc_key key = ZC_KEY(row, ZC_END_KIND(from), ZC_END_KIND(to));

	/* Only what is written becomes dirty. */
	if (from == ZC_END(ZC_FILE, 0, ZC_MEMORY_FILE))
		from = ZC_FILE;
	key.word |= (ZC_END_REST(from) | ZC_END_REST(to)) << 20;
	return key;
}

/*
 * The end that is a descriptor. `table`: the address of its task or, without
 * bpf_rdonly_cast(), of the struct fdtable. `channel`: where to say which file, pipe or socket it
 * is; NULL: nowhere.
 */
__u64 zc_fd_end(__u64 table, __u32 fd, struct zc_channel *channel);

/* The end that is the struct file at `address`; 0 means no file. */
__u64 zc_file_end(__u64 address);

/* Which file, pipe or socket the struct file at `address` is. */
int zc_file_channel(__u64 address, struct zc_channel *channel);

/*
 * Whether the file system of the struct file at `address` may put another file's bytes into it
 * without copying them here: ZC_OFFLOADS or 0.
 */
__u32 zc_file_offloads(__u64 address);

/* Whether the struct file at `address` is open with O_APPEND. */
__u32 zc_file_appends(__u64 address);

/* Whether the struct file at `address` has no page in memory. False if this is not known. */
__u32 zc_file_is_uncached(__u64 address);

/* The size of the struct file at `address`. */
__u64 zc_file_size(__u64 address);

/*
 * Whether a direct read that a file system has begun ends as one, so that what it does not read
 * from the disk is a hole.
 */
__u32 zc_file_reads_direct(__u64 address);

/*
 * Whether the struct file at `address` makes its bytes up as they are read: ZC_NO_PAGES or 0. A
 * splice then copies them into new pages.
 */
__u32 zc_file_has_no_pages(__u64 address);

/* Whether the struct file at `address` is a socket whose route is over a loopback: ZC_LOOPBACK or 0. */
__u32 zc_file_loops_back(__u64 address);

/* ZC_BY_REFERENCE if the struct file at `address` is a socket that obeys MSG_ZEROCOPY, else 0. */
__u32 zc_file_lends(__u64 address);

/* The inode number of the struct file at `address`; 0: no file. */
__u64 zc_file_number(__u64 address);

/*
 * Whether the struct file at `address` is a socket that throws away what it receives with
 * MSG_TRUNC: TCP does, while others only cut what does not fit into the buffer.
 */
__u32 zc_file_discards(__u64 address);

/*
 * Whether the struct file at `address` is a packet socket (AF_PACKET): a program may map a
 * ring of frames, which a call then sends without being given them.
 */
__u32 zc_file_is_packet(__u64 address);

/* The struct file of an open descriptor of the current task; 0: not open. */
__u64 zc_current_file(__u32 fd);

static __always_inline __u64 zc_current_fd_end(__u32 fd)
{
	return zc_file_end(zc_current_file(fd));
}

#endif
