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

#include "channel_records.h"
#include "relay_records.h"
#include "row_key.h"
#include "settings.h"

#ifdef __cplusplus
#define ZC_SIZE(type, bytes) static_assert(sizeof(struct type) bytes, #type)
#else
#define ZC_SIZE(type, bytes) _Static_assert(sizeof(struct type) bytes, #type)
#endif

#define ZC_BUCKETS 64
#define ZC_FIRST_OCTAVE 5

/* What is added up of a row, and of each file and peer of a row. */
#define ZC_ROW_SUM_FIELDS				\
	__u64 calls;					\
	__u64 errors;					\
	__u64 restarts;					\
	__u64 bytes;					\
	__u64 wall_ns;					\
	__u64 off_cpu_ns;				\
	__u64 voluntary;				\
	__u64 involuntary;				\
	/* What the kernel charged to the task in these calls; of ends that can have a disk. */ \
	__u64 disk_read;				\
	__u64 dirtied;					\
	/*						\
	 * Bytes that were seen to be copied: out of a socket, from memory into a TCP socket, or into \
	 * pages of a file or block device that became dirty. \
	 * With ZC_DIRECT or ZC_OFFLOADS, and from a file or pipe into a TCP socket, bytes that \
	 * were seen not to be copied.			\
	 */						\
	__u64 seen;					\
	/* With config.adaptive, the calls that were not timed. Of these, wall_ns has the time off the CPU. */ \
	__u64 untimed;					\
	/* Of calls that were chosen to stand for them; the squares as zc_square() makes them. */ \
	__u64 sampled;					\
	__u64 sampled_ns;				\
	__u64 sampled_squares

struct zc_row {
	ZC_ROW_SUM_FIELDS;
	__u64 max_ns;
	__u64 min_ns;		/* 0: no call was timed */
	/* Modulo 2^32; the collector adds up the differences between snapshots. */
	__u32 latency[ZC_BUCKETS];
};

struct zc_row_sums {
	ZC_ROW_SUM_FIELDS;
};

/* A new sum needs no code that adds the rows of a process: it loops over these. */
#define ZC_ROW_SUMS (sizeof(struct zc_row_sums) / sizeof(__u64))

/*
 * The latest channels that a row of a task used. What the task did with them is the row without
 * `before`: so a call with the same channels as the last one costs only the comparison.
 */
struct zc_run {
	struct zc_channel from;
	struct zc_channel to;
	struct zc_row_sums before;
};

/* Rows that a task holds itself. The one with the fewest calls gives way to a new one. */
#define ZC_SLOTS 9
#define ZC_SLOTS_WIDE 58
#define ZC_HINTS 32
#define ZC_NO_SLOT 255
#define ZC_UNTIMED 1

/* With config.adaptive: all of so many calls of a task's row are timed, then one in so many. */
#define ZC_TIMED_AT_FIRST 4096
#define ZC_TIMED_ONE_IN 16
/* sampled_squares counts in units of (2^5 ns)^2. */
#define ZC_SQUARE_SHIFT 10

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
	ZC_TASK_SENT_PAGES = 512,/* TCP took pages by reference in this call */
	ZC_TASK_SENT_COPIES = 1024,/* TCP copied what it was given in this call */
	ZC_TASK_SAMPLED = 2048,	/* the call in flight was chosen to be timed */
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

/* Differences of the kernel's own counters. Sums only; code loops over them. */
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
	/* 0: in no call, or in one whose entry was not seen; ZC_UNTIMED: in one that is not timed */
	__u64 entered_ns;
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
	/*
	 * Moved so far by the sendmmsg or recvmmsg in flight. Of a call with ZC_OFFLOADS, the size
	 * of the file before; 0 between calls.
	 */
	__u64 message_bytes;
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
	__u8 restartable;	/* `restarted` is set */
	__u8 pass;		/* calls until the next choice of one to time, see sampling.bpf.h */
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

/* The channels at both ends of the call whose key was made last. */
struct zc_call_channels {
	struct zc_channel from;
	struct zc_channel to;
};

/* With config.channels. */
struct zc_task_channels {
	struct zc_task task;
	struct zc_run runs[ZC_SLOTS];
	struct zc_call_channels call;
	struct zc_fault fault;	/* only with config.mapped */
};

struct zc_task_wide {
	struct zc_task_head head;
	struct zc_key keys[ZC_SLOTS_WIDE];
	struct zc_row rows[ZC_SLOTS_WIDE];
	struct zc_run runs[ZC_SLOTS_WIDE];
	struct zc_call_channels call;
	struct zc_fault fault;	/* only with config.mapped */
};

/* Key of the map `rows`. */
struct zc_row_key {
	__u64 account;
	struct zc_key key;
	__u32 pad;
};

/* Key of the maps `runs`. */
struct zc_run_key {
	__u64 account;
	struct zc_key key;
	__u32 pad;
	struct zc_channel from;
	struct zc_channel to;
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
	__u16 exit_code;	/* as wait(2) gives it */
	__u16 share;		/* index of shares[] */
	__u16 rows;		/* of it that were added to the map `rows` */
	__u16 tallies;		/* the same of `tallies` */
	__u32 execs;
	char name[ZC_NAME_BYTES];
};

/* The arguments of the latest exec, each ending with a zero byte; `cut`: too long. */
struct zc_command {
	__u32 bytes;
	__u32 cut;
	char text[ZC_COMMAND_BYTES];
};

/* What is known of a context of native AIO. */
struct zc_aio_seen {
	__u64 number;	/* never used again */
	__u32 tail;	/* of its ring: the events before it are counted */
	__u32 lookers;	/* 0: no program counts events; 1: one does; more: it must look again */
	__u32 unnoted;	/* requests in flight without a note: they were too many at once */
	__u32 early;	/* that completed before their io_submit() returned */
	__u32 share;	/* that it counts in */
	__u32 pad;
};

struct zc_aio_request {
	__u64 context;	/* its number */
	__u64 address;	/* of its struct iocb */
};

struct zc_aio_note {
	__u64 end;	/* its file, as zc_file_end() gives it */
	struct zc_channel channel;	/* the same; only with config.channels */
	__u32 row;	/* 0: it completed before its io_submit() returned */
	__u32 pad;
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
	ZC_LOST_MAPPED_FULL,	/* page faults: no space for what they mapped */
	ZC_LOSSES,
};

/* What a walk over all tasks does with each. */
enum zc_walk {
	ZC_WALK_SNAPSHOT,	/* write the state of each observed task */
	ZC_WALK_ARM,		/* observe one process from its next exec on */
	ZC_WALK_OBSERVE,	/* observe one process or thread from now on */
	ZC_WALK_ATTACH,		/* observe every task that matches a target */
};

/*
 * One task in a snapshot; `used` pairs of zc_key and zc_row follow it, each with a zc_run if
 * config.channels is set.
 */
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
ZC_SIZE(zc_config, == 140 + 2 * (ZC_MAX_SYSCALLS + ZC_MAX_SOCKETCALLS) +
		      8 * ZC_MAX_SYSCALLS + 8 * ZC_MAX_URING_OPS +
		      ZC_PATTERN_BYTES * ZC_MAX_NAMES);
ZC_SIZE(zc_key, == 4);
ZC_SIZE(zc_row, == 392);
ZC_SIZE(zc_kernel_counts, == 48);
ZC_SIZE(zc_folded_counts, == 96);
ZC_SIZE(zc_task_head, == 328);
/* Together with the kernel's header of a storage element it must fit in a page. */
ZC_SIZE(zc_task, <= 3968);
ZC_SIZE(zc_row_sums, == 120);
ZC_SIZE(zc_run, == 152);
ZC_SIZE(zc_run_key, == 48);
ZC_SIZE(zc_mapped_key, == 24);
ZC_SIZE(zc_fault, == 40);
ZC_SIZE(zc_relay_key, == 48);
ZC_SIZE(zc_relay_sums, == 32);
ZC_SIZE(zc_task_wide, <= 32640);
ZC_SIZE(zc_row_key, == 16);
ZC_SIZE(zc_tally_key, == 16);
ZC_SIZE(zc_account, == 208);
ZC_SIZE(zc_share, == 40);
ZC_SIZE(zc_command, == 1032);
ZC_SIZE(zc_snapshot_task, == 224);
ZC_SIZE(zc_pipe_bytes, == 32);
ZC_SIZE(zc_pipe_key, == 16);
ZC_SIZE(zc_sample, == 152);

#undef ZC_SIZE

#endif
