/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * What the BPF programs and the collector share: settings, and the records that the
 * programs write and the collector reads. Fields have fixed widths, padding has a name,
 * and both compilers assert the sizes. Times are nanoseconds of CLOCK_MONOTONIC unless
 * a field says otherwise. Counters only grow; the collector subtracts.
 */
#ifndef ZC_ABI_H
#define ZC_ABI_H

#ifndef __bpf__
#include <linux/types.h>
#endif

#include "row_key.h"

#ifdef __cplusplus
#define ZC_SIZE(type, bytes) static_assert(sizeof(struct type) bytes, #type)
#else
#define ZC_SIZE(type, bytes) _Static_assert(sizeof(struct type) bytes, #type)
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

#define ZC_MAX_SYSCALLS 512
/* The last entry describes every call that has no entry of its own. */
#define ZC_CALL_UNKNOWN (ZC_MAX_SYSCALLS - 1)
#define ZC_MAX_SOCKETCALLS 32
#define ZC_MAX_URING_OPS 64
#define ZC_BUCKETS 64
#define ZC_FIRST_OCTAVE 5

/* One syscall or io_uring operation. */
struct zc_call {
	__u16 row;	/* number of the row that counts it */
	__u8 from;	/* enum zc_end */
	__u8 to;	/* enum zc_end */
	__u8 result;	/* enum zc_result */
	__u8 accounted;	/* the kernel counts it in /proc/PID/io */
	__u8 pad[2];
};

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
	__u64 min_ns;		/* 0: no call was timed */
	/* What the kernel charged to the task in these calls; of ends that can have a disk. */
	__u64 disk_read;
	__u64 dirtied;
	/*
	 * Bytes that were seen to be copied out of a socket; with ZC_DIRECT or ZC_OFFLOADS,
	 * bytes that were seen not to be copied.
	 */
	__u64 seen;
	/* Modulo 2^32; the collector adds up the differences between snapshots. */
	__u32 latency[ZC_BUCKETS];
};

/* Rows that a task holds itself. The one with the fewest calls gives way to a new one. */
#define ZC_SLOTS 10
#define ZC_SLOTS_WIDE 64
#define ZC_HINTS 32
#define ZC_NO_SLOT 255

enum zc_task_flags {
	ZC_TASK_ARMED = 1,	/* observed from its next exec on */
	ZC_TASK_FOLDED = 2,	/* exited: its rows are in its account */
	ZC_TASK_FRESH = 4,	/* attached to; has entered no call since */
	ZC_TASK_RUNNING = 8,	/* FRESH, and was on a CPU at that time */
	ZC_TASK_WORKER = 16,	/* a kernel thread of io_uring: makes no syscalls */
	ZC_TASK_UNACCOUNTED = 32,/* `before_call` is set */
	ZC_TASK_COMPAT = 64,	/* in a 32-bit call */
	ZC_TASK_CHARGED = 128,	/* `disk_read` and `dirtied` are set */
	ZC_TASK_DIRECT = 256,	/* a file system began direct I/O in this call */
};

/* What a task did with one pipe since it last used another one. */
struct zc_pipe_run {
	__u64 pipe;		/* ZC_END_PIPE(); 0: none yet */
	__u64 copied;		/* bytes from or to user memory */
	__u64 moved;		/* bytes that stayed in the kernel, or were lent to it */
};

/* Bytes that an account took out of a pipe and put into it. */
struct zc_pipe_bytes {
	__u64 taken_copied;
	__u64 taken_moved;
	__u64 put_copied;
	__u64 put_moved;
};

struct zc_pipe_key {
	__u64 account;
	__u64 pipe;
};

/* Differences of the kernel's own counters. */
struct zc_usage {
	__u64 user_ns;		/* by tick; only the ratio to system_ns is exact */
	__u64 system_ns;
	__u64 runtime_ns;	/* on a CPU, by the scheduler's clock: exact */
	__u64 minor_faults;
	__u64 major_faults;
};

/* What the kernel counts of a task (/proc/PID/io and switches), for --verify-counts. */
struct zc_kernel_counts {
	__u64 rchar;
	__u64 wchar;
	__u64 syscr;
	__u64 syscw;
	__u64 voluntary;
	__u64 involuntary;
};

/* The same, summed over the exited tasks of a process. */
struct zc_folded_counts {
	struct zc_kernel_counts observed;	/* while they were observed */
	/* Before they were observed, and what the kernel read for execve. */
	struct zc_kernel_counts besides;
};

struct zc_outside {
	__u64 voluntary;
	__u64 involuntary;
	__u64 off_cpu_ns;
};

/* Everything about a task except its rows. */
struct zc_task_head {
	__u64 account;
	__u64 entered_ns;	/* 0: in no call, or in one whose entry was not seen */
	__u64 switched_ns;	/* 0: on a CPU */
	__u64 nvcsw;		/* the kernel's counter at the last switch seen */
	struct zc_usage base;	/* the kernel's counters when observation began */
	/* Only with config.verify. */
	struct zc_kernel_counts counts_base;
	struct {
		__u64 rchar;
		__u64 wchar;
		__u32 syscr;
		__u32 syscw;
	} before_call;
	struct zc_outside outside;
	__u64 call_off_cpu_ns;	/* in the call in flight */
	__u64 message_bytes;	/* moved so far by the sendmmsg or recvmmsg in flight */
	__u64 disk_read;	/* charged to the task before the call in flight */
	__u64 dirtied;
	__u64 copied;		/* out of sockets, and in no row yet */
	struct zc_pipe_run taken;
	struct zc_pipe_run put;
	__u64 compat_calls;
	__u64 address;		/* used by zc_number() */
	__u32 tid;		/* global */
	__u32 flags;		/* enum zc_task_flags */
	__s32 call;		/* number of the call in flight, -1: none */
	__u8 slot;		/* its row, when call >= 0 */
	__u8 pipes;		/* enum zc_pipe_use, when call >= 0 and it moves bytes */
	__u8 used;		/* rows in use */
	__u8 lent_slot;		/* the latest row with ZC_BY_REFERENCE */
	struct zc_key restarted;/* the row that restart_syscall belongs to */
	__u16 restartable;	/* `restarted` is set */
	__u16 messages;		/* that `message_bytes` holds */
	__u8 hint[ZC_HINTS];	/* row number -> the last slot that held it */
};

enum zc_pipe_use {
	ZC_PIPE_TAKES = 1,	/* from head.taken.pipe */
	ZC_PIPE_PUTS = 2,	/* into head.put.pipe */
	ZC_PIPE_COPIES = 4,	/* from or to user memory */
};

struct zc_task {
	struct zc_task_head head;
	struct zc_key keys[ZC_SLOTS];
	struct zc_row rows[ZC_SLOTS];
};

struct zc_task_wide {
	struct zc_task_head head;
	struct zc_key keys[ZC_SLOTS_WIDE];
	struct zc_row rows[ZC_SLOTS_WIDE];
};

/* Key of the map `rows`. */
struct zc_row_key {
	__u64 account;
	struct zc_key key;
	__u32 pad;
};

/* Key of the map `tallies`: counts that few rows have. */
struct zc_tally_key {
	__u64 account;
	struct zc_key key;
	__u32 what;		/* an errno, or enum zc_tally */
};

enum zc_tally {
	/* Sends by reference that the kernel has finished, by what it then said. */
	ZC_TALLY_COPIED = 4096,
	ZC_TALLY_LENT,
};

enum zc_account_flags {
	ZC_ACCOUNT_EXEC = 1,	/* there was an exec while it was observed */
};

#define ZC_NAME_BYTES 16
#define ZC_COMMAND_BYTES 1024

/* One process, or one thread with config.by_thread. */
struct zc_account {
	__u64 id;
	__u64 parent;		/* account, 0: none */
	__u64 start_ns;		/* CLOCK_BOOTTIME */
	__u64 end_ns;		/* CLOCK_BOOTTIME, 0: is running */
	__u64 max_rss_pages;
	__u64 compat_calls;
	struct zc_usage usage;	/* of tasks that exited */
	struct zc_outside outside;
	struct zc_pipe_bytes other_pipes;	/* those without space in the map `pipes` */
	__u64 process_start_ns;	/* of the leader; CLOCK_BOOTTIME */
	__u32 pid;		/* in zctrace's pid namespace */
	__u32 tid;		/* the same; 0 without config.by_thread */
	__u32 parent_pid;
	__u32 global_pid;
	__u32 started;		/* tasks that ever belonged to it */
	__u32 folded;		/* tasks whose rows were added to it */
	__u32 dead;		/* tasks that left their CPU for the last time */
	__s32 exit_code;	/* as wait(2) gives it */
	__u32 flags;		/* enum zc_account_flags */
	__u32 execs;
	char name[ZC_NAME_BYTES];
};

/* The arguments of the latest exec, each ending with a zero byte; `cut`: too long. */
struct zc_command {
	__u32 bytes;
	__u32 cut;
	char text[ZC_COMMAND_BYTES];
};

/* Every way in which something can be lost. */
enum zc_loss {
	ZC_LOST_TASK_MEMORY,	/* tasks: no memory for a task's state */
	ZC_LOST_TASK_BUSY,	/* events: a task's state was not accessible */
	ZC_LOST_ACCOUNTS_FULL,	/* tasks: no space for another account */
	ZC_LOST_ROWS_FULL,	/* calls: no space for another row */
	ZC_LOST_MESSAGE_LENGTHS,/* messages whose length could not be read */
	ZC_LOST_COMMANDS_FULL,	/* command lines */
	ZC_LOST_URING_RESULTS,	/* completions of io_uring that name no request */
	ZC_LOST_AIO_RESULTS,	/* requests of native AIO that were not seen to complete */
	ZC_LOST_PIPES_FULL,	/* pipes that are not listed separately; no bytes are lost */
	ZC_LOSSES,
};

/* Targets other than PIDs. */
#define ZC_MAX_CGROUPS 16
#define ZC_MAX_NAMES 16
#define ZC_PATTERN_BYTES 64

struct zc_name_target {
	char pattern[ZC_PATTERN_BYTES];	/* with '*' and '?', ends with a zero byte */
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
	__u8 pad[3];
	__u32 wanted_cgroups;	/* how many of cgroup_targets[] are set */
	__u32 wanted_names;	/* the same of name_targets[] */
	__u32 direct_flag;	/* O_DIRECT of this architecture */
	__u32 own_pid;		/* zctrace's, in its own pid namespace */
	__u32 user;
	__u32 pid_namespace_inum;
	__u32 task_limit;	/* for tests: give a state to this many tasks; 0: to all */
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

/* What a walk over all tasks does with each. */
enum zc_walk {
	ZC_WALK_SNAPSHOT,	/* write the state of each observed task */
	ZC_WALK_ARM,		/* observe one process from its next exec on */
	ZC_WALK_OBSERVE,	/* observe one process or thread from now on */
	ZC_WALK_ATTACH,		/* observe every task that matches a target */
};

/* One task in a snapshot; `used` pairs of zc_key and zc_row follow it. */
struct zc_snapshot_task {
	__u64 account;
	struct zc_usage usage;	/* since observation began */
	struct zc_kernel_counts counts;	/* since then; only with config.verify */
	struct zc_outside outside;
	struct zc_pipe_run taken;
	struct zc_pipe_run put;
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

/* How many callers a sample names. */
#define ZC_FRAMES 16

/* What a CPU was doing for an observed task when its clock ticked; only with --profile. */
struct zc_sample {
	__u64 account;		/* 0: known by its process and thread */
	__u32 pid;		/* set if there is no account, as is tid */
	__u32 tid;
	struct zc_key key;	/* the row of the call in flight, when in_call */
	__u16 in_call;
	__u16 frames;		/* used; 0: it ran user code */
	__u64 ip[ZC_FRAMES];	/* in the kernel, the innermost first */
};

ZC_SIZE(zc_call, == 8);
ZC_SIZE(zc_config, == 68 + 2 * (ZC_MAX_SYSCALLS + ZC_MAX_SOCKETCALLS) +
		      8 * ZC_MAX_SYSCALLS + 8 * ZC_MAX_URING_OPS +
		      ZC_PATTERN_BYTES * ZC_MAX_NAMES);
ZC_SIZE(zc_key, == 4);
ZC_SIZE(zc_row, == 360);
ZC_SIZE(zc_kernel_counts, == 48);
ZC_SIZE(zc_folded_counts, == 96);
ZC_SIZE(zc_task_head, == 328);
/* Together with the kernel's header of a storage element it must fit in a page. */
ZC_SIZE(zc_task, <= 3968);
ZC_SIZE(zc_row_key, == 16);
ZC_SIZE(zc_tally_key, == 16);
ZC_SIZE(zc_account, == 208);
ZC_SIZE(zc_command, == 1032);
ZC_SIZE(zc_snapshot_task, == 224);
ZC_SIZE(zc_pipe_bytes, == 32);
ZC_SIZE(zc_pipe_key, == 16);
ZC_SIZE(zc_sample, == 152);

#undef ZC_SIZE

#endif
