/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * What the programs tell user space of the stack from which bytes were moved; only with --stacks.
 * The pages of a stack come first, each in a record of its own, then the sample that they belong to.
 * Those of different CPUs mix.
 */
#ifndef ZC_STACK_RECORDS_H
#define ZC_STACK_RECORDS_H

#ifndef __bpf__
#include <linux/types.h>
#endif

#define ZC_STACK_KERNEL_FRAMES 32
#define ZC_STACK_USER_FRAMES 64
#define ZC_STACK_PAGE_BYTES 4096
/* At most so many pages of a stack are copied, of so many from its top on. */
#define ZC_STACK_PAGES 16
#define ZC_STACK_REACH 64
/* struct pt_regs of the architecture as far as ptrace(2) shows it: x86-64 21 words, arm64 34. */
#define ZC_STACK_REGISTERS 34
#define ZC_STACK_NAME_BYTES 16

enum zc_stack_record {
	ZC_STACK_PAGE,
	ZC_STACK_SAMPLE,
};

enum zc_stack_flags {
	ZC_STACK_COMPAT = 1,	/* a 32-bit call */
	ZC_STACK_WORKER = 2,	/* a kernel thread of io_uring: no user stack */
	ZC_STACK_LATER = 4,	/* a request of io_uring, which a call began earlier */
};

/* A part of a user stack. */
struct zc_stack_page {
	__u32 record;		/* ZC_STACK_PAGE */
	__u32 bytes;		/* of memory[], that the record has */
	__u64 sample;
	__u64 address;
	char memory[ZC_STACK_PAGE_BYTES];
};

#define ZC_STACK_PAGE_HEAD (sizeof(struct zc_stack_page) - ZC_STACK_PAGE_BYTES)

/*
 * Tells the memory of one program from that of others: with randomized addresses only a process
 * and the children that it forked have the same.
 */
struct zc_stack_image {
	__u64 start_code;
	__u64 start_stack;
	__u64 arg_start;
	__u64 executable;	/* inode */
};

struct zc_stack_sample {
	__u32 record;		/* ZC_STACK_SAMPLE */
	__u32 pages;		/* that were sent for it */
	__u64 sample;		/* its number on its CPU, and that CPU in the upper 16 bits */
	__u64 account;
	__u64 points;		/* that the call contains; each stands for stacks_every bytes */
	__u32 key;		/* zc_key::word of its row */
	__u32 flags;		/* enum zc_stack_flags */
	__u32 pid;		/* in zctrace's PID namespace */
	__u16 kernel_frames;	/* used of kernel[] */
	__u16 user_frames;
	char name[ZC_STACK_NAME_BYTES];	/* of the process, cut */
	struct zc_stack_image image;
	__u64 registers[ZC_STACK_REGISTERS];
	/* Return addresses, the innermost first; of user code by its frame pointers. */
	__u64 kernel[ZC_STACK_KERNEL_FRAMES];
	__u64 user[ZC_STACK_USER_FRAMES];
};

#ifdef __cplusplus
static_assert(sizeof(zc_stack_page) == 4120);
static_assert(sizeof(zc_stack_sample) == 1136);
#else
_Static_assert(sizeof(struct zc_stack_page) == 4120, "zc_stack_page");
_Static_assert(sizeof(struct zc_stack_sample) == 1136, "zc_stack_sample");
#endif

#endif
