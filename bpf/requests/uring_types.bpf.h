/* SPDX-License-Identifier: GPL-2.0 */
/* More of the kernel's types, as in kernel_types.bpf.h: those of io_uring. */
#ifndef ZC_URING_TYPES_H
#define ZC_URING_TYPES_H

#include "bpf/kernel_types.bpf.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

/* One registered file or buffer, since 6.13. */
struct io_rsrc_node {
	unsigned long file_ptr;
};

struct io_splice {
	int splice_fd_in;
	unsigned int flags;
	struct io_rsrc_node *rsrc_node;
};

/* send and recv */
struct io_sr_msg {
	void *umsg;
	int len;
	unsigned int msg_flags;
	__u16 flags;
};

struct io_async_msghdr {
	int namelen;
	unsigned long controllen;
};

struct io_accept {
	int iou_flags;
};

struct io_poll {
	unsigned int events;
};

struct io_timeout_data {
	__u32 flags;
};

struct io_uring_cmd {
	__u32 flags;
};

struct io_cqe {
	__u64 user_data;
};

struct io_ring_ctx;

struct io_kiocb {
	struct file *file;
	__u8 opcode;
	struct io_cqe cqe;
	struct io_ring_ctx *ctx;
	void *async_data;
};

/* Registered files before 6.13. */
struct io_fixed_file {
	unsigned long file_ptr;
};

struct io_file_table___files {
	struct io_fixed_file *files;
};

struct io_ring_ctx___files {
	struct io_file_table___files file_table;
	unsigned int nr_user_files;
};

struct io_uring_cqe {
	__u64 user_data;
	__s32 res;
	__u32 flags;
};

#pragma clang attribute pop

#endif
