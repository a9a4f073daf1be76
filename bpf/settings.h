/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* What the collector tells the programs before it loads them. */
#ifndef ZC_SETTINGS_H
#define ZC_SETTINGS_H

#ifndef __bpf__
#include <linux/types.h>
#endif

/* Where to find the descriptor that a syscall reads from or writes to. */
enum zc_end {
	ZC_END_NONE,	/* no descriptor, no bytes: kind is "other" */
	ZC_END_USER,	/* the caller's memory */
	ZC_END_ARG0,
	ZC_END_ARG1,
	ZC_END_ARG2,
	ZC_END_REQUEST,	/* io_uring: the request's own file */
	ZC_END_SPLICE,	/* io_uring: the second descriptor of a splice or tee */
	ZC_END_OTHER,	/* neither memory nor a descriptor, or different for each call */
};

/* How to get from a syscall's result to its bytes, and what else is special about it. */
enum zc_result {
	ZC_RESULT_NONE,		/* no bytes */
	ZC_RESULT_BYTES,	/* the result, when positive */
	ZC_RESULT_LENGTH,	/* argument 2, when the call succeeded */
	ZC_RESULT_SENDTO,	/* the result, but at most the length in argument 2 */
	ZC_RESULT_SENDMSG,	/* the same for a message */
	ZC_RESULT_RECV,		/* recvfrom: argument 3 holds MSG_*, argument 2 the length */
	ZC_RESULT_RECVMSG,	/* recvmsg: argument 2 holds MSG_* */
	ZC_RESULT_RECVMMSG,	/* recvmmsg: the messages' lengths */
	ZC_RESULT_SENDMMSG,	/* sendmmsg: the messages' lengths */
	ZC_RESULT_TEE,		/* the result; the bytes stay in the source, too */
	ZC_RESULT_VMSPLICE,	/* the result; the end of the pipe gives the direction */
	/* From here on: each call is different, and there is no pipe. */
	ZC_RESULT_CLONE_FILE,	/* ioctl: bytes for FICLONE and FICLONERANGE only */
	ZC_RESULT_AIO_SET_UP,	/* argument 1 is where the context's id is stored */
	ZC_RESULT_AIO_SUBMIT,	/* argument 0 is the context, 2 points to the requests */
	ZC_RESULT_AIO_REAP,	/* argument 0 is the context */
	ZC_RESULT_AIO_DESTROY,	/* the same; it is gone afterwards */
	ZC_RESULT_FORK,		/* a result of 0 is the return of the child, which made no call */
	ZC_RESULT_RESTART,	/* restart_syscall: counts as the call that it restarts */
};

/* How a syscall that moves bytes from or to memory says where: always in argument 1. */
enum zc_memory {
	ZC_MEMORY_NONE,		/* it does not, or not in a way that is followed */
	ZC_MEMORY_BUFFER,	/* the address */
	ZC_MEMORY_VECTOR,	/* a struct iovec array, as long as argument 2 says */
	ZC_MEMORY_MESSAGE,	/* a struct msghdr */
};

#define ZC_MAX_SYSCALLS 512
/* The last entry describes every call that has no entry of its own. */
#define ZC_CALL_UNKNOWN (ZC_MAX_SYSCALLS - 1)
#define ZC_MAX_SOCKETCALLS 32
#define ZC_MAX_URING_OPS 64

/* One syscall or io_uring operation. */
struct zc_call {
	__u16 row;	/* number of the row that counts it */
	__u8 from;	/* enum zc_end */
	__u8 to;	/* enum zc_end */
	__u8 result;	/* enum zc_result */
	__u8 accounted;	/* the kernel counts it in /proc/PID/io */
	__u8 memory;	/* enum zc_memory */
	__u8 pad;
};

/* What one user takes of the maps; see zc_share_of(). The collector subtracts what it deletes. */
#define ZC_SHARES 4096

struct zc_share {
	__u32 accounts;
	__u32 rows;
	__u32 tallies;
	__u32 pipes;
	__u32 multishots;
	__u32 aio_contexts;
	__u32 runs;
	__u32 buffers;
	__u32 relays;
	__u32 mapped;
};

/* Targets other than PIDs. */
#define ZC_MAX_CGROUPS 16
#define ZC_MAX_NAMES 16
#define ZC_PATTERN_BYTES 64

struct zc_name_target {
	char pattern[ZC_PATTERN_BYTES];	/* with '*' and '?', ends with a zero byte */
};

/*
 * No helper has this number: where the programs call it, user space puts the kernel's function
 * bpf_rdonly_cast(). libbpf would read all types of the kernel to find that.
 */
#define ZC_RDONLY_CAST 0x7a630001

/* Numbers of types in the kernel's own BTF, for bpf_rdonly_cast(). */
struct zc_kernel_types {
	__u32 task;
	__u32 file;
	__u32 socket;
	__u32 tcp;	/* struct inet_connection_sock */
	__u32 pointer;	/* a structure that begins with a pointer */
};

/*
 * The settings. The collector fills them in before it loads the programs, and they
 * are read-only from then on.
 */
struct zc_config {
	__u8 latency;		/* a program at entry takes the time and the row */
	__u8 wide_tasks;	/* tasks have ZC_SLOTS_WIDE rows */
	__u8 by_thread;		/* an account for each thread, not for each process */
	__u8 follow_children;
	__u8 windowed;		/* count only while window_open is set */
	__u8 verify;		/* read the kernel's own counts, too */
	__u8 fast_cpu_maps;	/* this kernel inlines look-ups in per-CPU arrays */
	__u8 rdonly_cast;	/* this kernel has bpf_rdonly_cast() */
	__u8 want_all;		/* observe every process */
	__u8 message_lengths;	/* this kernel tells the length of each message */
	__u8 one_user;		/* no target but the processes of `user` */
	__u8 own_helpers;	/* zctrace's own children are no targets */
	__u16 ficlone_row;
	__u16 ficlonerange_row;
	__u16 aio_read_row;
	__u16 aio_write_row;
	__u8 direct_seen;	/* this kernel tells when direct I/O begins */
	__u8 channels;		/* count by file and peer, too */
	__u8 relays;		/* notice bytes that are read and written again unchanged */
	__u8 mapped;		/* count what page faults map of files */
	__u8 adaptive;		/* with `latency`: not every call of a busy row is timed */
	__u8 sliced;		/* no program at exits but while window_open is set */
	__u8 pad[2];
	__u32 wanted_cgroups;	/* how many of cgroup_targets[] are set */
	__u32 wanted_names;	/* the same of name_targets[] */
	__u32 direct_flag;	/* O_DIRECT of this architecture */
	__u32 own_pid;		/* zctrace's, in its own pid namespace */
	__u32 user;
	__u32 pid_namespace_inum;
	__u32 task_limit;	/* for tests: give a state to this many tasks; 0: to all */
	/* The most entries of an account, and of a share. */
	__u32 rows_of_account;
	__u32 tallies_of_account;
	struct zc_share most;
	struct zc_kernel_types types;
	__u32 compat_status_mask;
	__u32 compat_flags_mask;
	/* Numbers of syscalls that the programs treat specially. */
	__u32 sigreturn_call;
	__u32 socketcall;	/* of the 32-bit table */
	/* 32-bit calls: from their numbers to indices of calls[]. */
	__u16 compat_calls[ZC_MAX_SYSCALLS];
	__u16 socketcalls[ZC_MAX_SOCKETCALLS];
	struct zc_call calls[ZC_MAX_SYSCALLS];
	struct zc_call uring_ops[ZC_MAX_URING_OPS];
	struct zc_name_target name_targets[ZC_MAX_NAMES];
};

#endif
