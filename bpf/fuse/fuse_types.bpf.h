/* SPDX-License-Identifier: GPL-2.0 */
/* The kernel's types of FUSE, cut down like those in kernel_types.bpf.h. */
#ifndef ZC_FUSE_TYPES_H
#define ZC_FUSE_TYPES_H

#include "bpf/kernel_types.bpf.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct file_system_type___fuse {
	const char *name;
};

struct super_block___fuse {
	struct file_system_type___fuse *s_type;
	const char *s_subtype;
};

struct fuse_in_header {
	__u32 len;
	__u32 opcode;
	__u32 pid;
};

struct fuse_out_header {
	__u32 len;
	__s32 error;
};

struct fuse_in_arg {
	unsigned int size;
	const void *value;
};

struct fuse_arg {
	unsigned int size;
	void *value;
};

struct fuse_args {
	__u8 in_numargs;
	__u8 out_numargs;
	struct fuse_in_arg in_args[4];
	struct fuse_arg out_args[2];
};

struct fuse_conn {
	kuid_t user_id;
	struct pid_namespace *pid_ns;
	struct user_namespace *user_ns;
	unsigned int max_background;
	unsigned int num_background;
	atomic_t num_waiting;
	__u32 dev;
};

struct fuse_mount {
	struct fuse_conn *fc;
	struct super_block___fuse *sb;
};

struct fuse_req {
	struct fuse_args *args;
	unsigned long flags;
	struct {
		struct fuse_in_header h;
	} in;
	struct {
		struct fuse_out_header h;
	} out;
	struct fuse_mount *fm;
};

/* Numbers of bits in fuse_req.flags; FR_URING since 6.14. */
enum fuse_req_flag {
	FR_BACKGROUND = 2,
	FR_URING = 12,
};

#pragma clang attribute pop

/* Of linux/fuse.h. */
enum {
	FUSE_READ = 15,
	FUSE_WRITE = 16,
	FUSE_INIT = 26,
	FUSE_COPY_FILE_RANGE = 47,
	FUSE_COPY_FILE_RANGE_64 = 53,
	CUSE_INIT = 4096,
};

/* Of linux/sched.h. */
#define PF_KTHREAD 0x00200000

/* Of linux/proc_ns.h (PROC_PID_INIT_INO): the namespace that sees every process. */
#define ZC_FIRST_PID_NAMESPACE 0xEFFFFFFCU

/* The size of struct fuse_out_header. */
#define ZC_FUSE_OUT_HEADER 16

#endif
