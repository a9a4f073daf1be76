/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * The records that the BPF programs write and the collector reads. Fixed-width
 * fields, named padding, sizes asserted where either side compiles this.
 * Times are nanoseconds of CLOCK_MONOTONIC unless a field says otherwise;
 * counters only grow, the collector subtracts.
 */
#ifndef ZC_ABI_H
#define ZC_ABI_H

#ifndef __bpf__
#include <linux/types.h>
#endif

#ifdef __cplusplus
#define ZC_SIZE(type, bytes) static_assert(sizeof(struct type) bytes, #type)
#else
#define ZC_SIZE(type, bytes) _Static_assert(sizeof(struct type) bytes, #type)
#endif

/* What bytes come from or go to. Order and values are shared with zctrace::Kind. */
enum zc_kind {
	ZC_USER,
	ZC_FILE,
	ZC_SOCKET,
	ZC_PIPE,
	ZC_DEVICE,
	ZC_FUSE,
	ZC_OTHER,
};

/* Where a syscall's `from` or `to` descriptor is found. */
enum zc_end {
	ZC_END_NONE,	/* no descriptor, no bytes: kind is "other" */
	ZC_END_USER,	/* the caller's memory */
	ZC_END_ARG0,
	ZC_END_ARG1,
	ZC_END_ARG2,
	ZC_END_REQUEST,	/* io_uring: the request's own file */
	ZC_END_SPLICE,	/* io_uring: the second descriptor of a splice or tee */
};

/* How a syscall's result becomes bytes, and what else is special about it. */
enum zc_result {
	ZC_RESULT_NONE,		/* no bytes */
	ZC_RESULT_BYTES,	/* the result, when positive */
	ZC_RESULT_RECV,		/* recvfrom: argument 3 holds MSG_*, argument 2 the length */
	ZC_RESULT_RECVMSG,	/* recvmsg: argument 2 holds MSG_* */
	ZC_RESULT_RECVMMSG,	/* recvmmsg: the messages' lengths */
	ZC_RESULT_SENDMMSG,	/* sendmmsg: the messages' lengths */
	ZC_RESULT_VMSPLICE,	/* direction is told by the pipe's end */
	ZC_RESULT_CLONE_FILE,	/* ioctl: FICLONE and FICLONERANGE, otherwise plain */
	ZC_RESULT_FORK,		/* a result of 0 is the child's return, no call */
	ZC_RESULT_RESTART,	/* restart_syscall: belongs to the call it restarts */
};

#define ZC_MAX_SYSCALLS 512
#define ZC_MAX_URING_OPS 64
#define ZC_BUCKETS 64
#define ZC_FIRST_OCTAVE 5

/* One syscall or io_uring operation, described by user space as read-only data. */
struct zc_call {
	__u16 row;	/* the name it is counted under */
	__u8 from;	/* enum zc_end */
	__u8 to;	/* enum zc_end */
	__u8 result;	/* enum zc_result */
	__u8 pad[3];
};

/* A row's identity inside its account: one word, so that one load compares it. */
struct zc_key {
	__u32 word;	/* row | from << 16 | to << 24, both enum zc_kind */
};

#define ZC_KEY(row, from, to) \
	((struct zc_key){ (__u32)(row) | (__u32)(from) << 16 | (__u32)(to) << 24 })
#define ZC_KEY_ROW(key) ((key).word & 0xffff)
#define ZC_KEY_FROM(key) ((key).word >> 16 & 0xff)
#define ZC_KEY_TO(key) ((key).word >> 24)

struct zc_row {
	__u64 calls;
	__u64 errors;
	__u64 restarts;
	__u64 bytes;
	__u64 wall_ns;
	__u64 off_cpu_ns;
	__u64 voluntary;
	__u64 involuntary;
	__u64 max_ns;
	/* Modulo 2^32: the collector widens it from snapshot to snapshot. */
	__u32 latency[ZC_BUCKETS];
};

/* Rows a task holds itself; a rarer one is added to its account to make room. */
#define ZC_SLOTS 11
#define ZC_SLOTS_WIDE 64
#define ZC_HINTS 32

enum zc_task_flags {
	ZC_TASK_ARMED = 1,	/* not observed before its next exec */
	ZC_TASK_FOLDED = 2,	/* exited: its rows are in its account */
	ZC_TASK_FRESH = 4,	/* attached to; nothing entered since */
	ZC_TASK_RUNNING = 16,	/* FRESH, and on a CPU when it was attached to */
	ZC_TASK_WORKER = 8,	/* a thread of the kernel's own (io_uring): no syscalls */
	ZC_TASK_EXECS = 32,	/* in execve or execveat; `before_exec` is set */
};

/* What ends at exec, exit or never; differences of the kernel's own counters. */
struct zc_usage {
	__u64 user_ns;		/* by tick; only the ratio to system_ns is exact */
	__u64 system_ns;
	__u64 runtime_ns;	/* on a CPU, by the scheduler's clock: exact */
	__u64 minor_faults;
	__u64 major_faults;
};

/* What the kernel itself counts of a task, to compare with: /proc/PID/io and switches. */
struct zc_kernel_counts {
	__u64 rchar;
	__u64 wchar;
	__u64 syscr;
	__u64 syscw;
	__u64 voluntary;
	__u64 involuntary;
};

/* The same of a process's tasks that are gone: while observed, and otherwise. */
struct zc_folded_counts {
	struct zc_kernel_counts observed;
	/* Before that, and what the kernel read for execve. */
	struct zc_kernel_counts besides;
};

struct zc_outside {
	__u64 voluntary;
	__u64 involuntary;
	__u64 off_cpu_ns;
};

/* Everything about a task but its rows. */
struct zc_task_head {
	__u64 account;
	__u64 entered_ns;	/* 0: in no call, or its entry was not seen */
	__u64 switched_ns;	/* 0: on a CPU */
	__u64 nvcsw;		/* the kernel's counter at the last switch seen */
	struct zc_usage base;	/* the kernel's counters when observation began */
	/* Only where counts are verified. */
	struct zc_kernel_counts counts_base;
	struct {
		__u64 rchar;
		__u64 syscr;
	} before_exec;
	struct zc_outside outside;
	__u64 compat_calls;
	__u64 address;		/* where a pointer becomes a number: zc_number() */
	__u32 tid;		/* global */
	__u32 flags;		/* enum zc_task_flags */
	__s32 call;		/* number of the call in flight, -1: none */
	__u16 slot;		/* its row, when call >= 0 */
	__u16 used;		/* rows in use */
	struct zc_key restarted;/* the row that restart_syscall belongs to */
	__u32 restartable;	/* whether `restarted` is set */
	__u8 hint[ZC_HINTS];	/* row number -> the slot it was last in */
};

struct zc_task {
	struct zc_task_head head;
	struct zc_key keys[ZC_SLOTS];
	__u32 pad;
	struct zc_row rows[ZC_SLOTS];
};

struct zc_task_wide {
	struct zc_task_head head;
	struct zc_key keys[ZC_SLOTS_WIDE];
	struct zc_row rows[ZC_SLOTS_WIDE];
};

/* A caller that is not observed, for the programs' own use. */
struct zc_bystander {
	__u64 regs;		/* where its registers are saved */
	__u64 observations;	/* what the counter of these was when it was looked at */
};

/* Key of the map of rows that are no longer a task's. */
struct zc_row_key {
	__u64 account;
	struct zc_key key;
	__u32 pad;
};

enum zc_account_flags {
	ZC_ACCOUNT_EXEC = 1,	/* `command` was taken at an exec while observed */
};

#define ZC_NAME_BYTES 16
#define ZC_COMMAND_BYTES 1024

/* One process, or one thread where rows are kept by thread. */
struct zc_account {
	__u64 id;
	__u64 parent;		/* account, 0: none */
	__u64 start_ns;		/* CLOCK_BOOTTIME */
	__u64 end_ns;		/* CLOCK_BOOTTIME, 0: still runs */
	__u64 max_rss_pages;
	__u64 compat_calls;
	struct zc_usage usage;	/* of tasks that exited */
	struct zc_outside outside;
	__u32 pid;		/* in zctrace's pid namespace */
	__u32 tid;		/* the same; 0 where rows are kept by process */
	__u32 parent_pid;
	__u32 global_pid;
	__u32 started;		/* tasks that were ever in it */
	__u32 folded;		/* of those, the ones whose rows were added */
	__u32 dead;		/* of those, the ones that are off their CPU for good */
	__s32 exit_code;	/* as wait(2) gives it */
	__u32 flags;		/* enum zc_account_flags */
	__u32 execs;
	char name[ZC_NAME_BYTES];
};

/* argv as it lay in memory at the latest exec: NUL-separated, maybe cut. */
struct zc_command {
	__u32 bytes;
	__u32 cut;
	char text[ZC_COMMAND_BYTES];
};

/* Every way to lose something. */
enum zc_loss {
	ZC_LOST_TASK_MEMORY,	/* tasks: no memory for a task's state */
	ZC_LOST_TASK_BUSY,	/* events: a task's state could not be reached */
	ZC_LOST_ACCOUNTS_FULL,	/* tasks: no room for their process */
	ZC_LOST_ROWS_FULL,	/* calls: no room for a row at exit */
	ZC_LOST_MESSAGE_LENGTHS,/* messages whose length could not be read */
	ZC_LOST_COMMANDS_FULL,	/* command lines */
	ZC_LOST_URING_RESULTS,	/* completions of io_uring that name no request */
	ZC_LOSSES,
};

/* Targets that are not pids. */
#define ZC_MAX_CGROUPS 16
#define ZC_MAX_NAMES 16
#define ZC_PATTERN_BYTES 64

struct zc_name_target {
	char pattern[ZC_PATTERN_BYTES];	/* with '*' and '?', ends with a zero byte */
};

/* What an iteration over all tasks is asked to do with each. */
enum zc_walk {
	ZC_WALK_SNAPSHOT,	/* write the state of each observed task */
	ZC_WALK_ARM,		/* observe one process from its next exec on */
	ZC_WALK_OBSERVE,	/* begin to observe one process or thread, as it is now */
	ZC_WALK_ATTACH,		/* begin to observe every task that is wanted */
};

/* Where a record of the snapshot begins; `used` pairs of zc_key and zc_row follow. */
struct zc_snapshot_task {
	__u64 account;
	struct zc_usage usage;	/* since observation began */
	struct zc_kernel_counts counts;	/* since then, where counts are verified */
	struct zc_outside outside;
	__u64 compat_calls;
	__u64 start_ns;
	__u32 pid;
	__u32 tid;
	__u32 used;
	__u32 in_call;
	__u32 flags;
	__u32 pad;
	char name[ZC_NAME_BYTES];
};

ZC_SIZE(zc_call, == 8);
ZC_SIZE(zc_key, == 4);
ZC_SIZE(zc_row, == 328);
ZC_SIZE(zc_kernel_counts, == 48);
ZC_SIZE(zc_folded_counts, == 96);
ZC_SIZE(zc_task_head, == 232);
/* With the kernel's header of a storage element this must stay below a page. */
ZC_SIZE(zc_task, <= 3968);
ZC_SIZE(zc_row_key, == 16);
ZC_SIZE(zc_account, == 168);
ZC_SIZE(zc_command, == 1032);
ZC_SIZE(zc_snapshot_task, == 176);

#undef ZC_SIZE

#endif
