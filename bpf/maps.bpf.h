/* SPDX-License-Identifier: GPL-2.0 */
/*
 * All maps. The linker requires each declaration to equal the definition, so these lines
 * serve as both: maps.bpf.c includes them with ZC_MAP defined as nothing.
 */
#ifndef ZC_MAPS_H
#define ZC_MAPS_H

#include "kernel_types.bpf.h"

#include <bpf/bpf_helpers.h>

#include "abi.h"

#ifndef ZC_MAP
#define ZC_MAP extern
#endif

/* The latest task of each CPU that was found unobserved, see bystanders.bpf.h. */
struct zc_bystander {
	__u64 regs;		/* where its registers are saved */
	__u64 observations;	/* the value of the counter `observations` at that time */
};

ZC_MAP struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct zc_bystander);
} bystanders SEC(".maps");

/* The state and rows of each observed task; the kernel frees them with the task. */
ZC_MAP struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct zc_task);
} tasks SEC(".maps");

/* The same with space for ZC_SLOTS_WIDE rows; used instead of `tasks` with -e %all. */
ZC_MAP struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct zc_task_wide);
} tasks_wide SEC(".maps");

/* The same with the channels of each row; used instead of `tasks` with config.channels. */
ZC_MAP struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct zc_task_channels);
} tasks_channels SEC(".maps");

/* Rows of tasks that exited, or that needed the slot for another row. */
ZC_MAP struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 131072);
	__type(key, struct zc_row_key);
	__type(value, struct zc_row);
} rows SEC(".maps");

/* Errors by their number and the like: a call that succeeds never touches it. */
ZC_MAP struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 65536);
	__type(key, struct zc_tally_key);
	__type(value, __u64);
} tallies SEC(".maps");

/*
 * By the inode number of a socket: the row that lent it memory last. If the oldest entries make
 * room, only the thread that lent the memory is known to have done so, see zc_sends_done().
 */
struct zc_lender {
	__u64 account;
	struct zc_key key;
	__u32 pad;
};

ZC_MAP struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64);
	__type(value, struct zc_lender);
} lenders SEC(".maps");

/* By account: the sum of the rows that found no space in `rows`. */
ZC_MAP struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 65536);
	__type(key, __u64);
	__type(value, struct zc_row);
} folded SEC(".maps");

/* One for each process, from its first observed task until the collector deletes it. */
ZC_MAP struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 65536);
	__type(key, __u64);
	__type(value, struct zc_account);
} accounts SEC(".maps");

/* By account: what the kernel itself counted of its tasks that have exited. */
ZC_MAP struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 65536);
	__type(key, __u64);
	__type(value, struct zc_folded_counts);
} kernel_counts SEC(".maps");

/* By account: the command line of its latest exec. */
ZC_MAP struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 65536);
	__type(key, __u64);
	__type(value, struct zc_command);
} commands SEC(".maps");

/* Where a command line is put together; it does not fit on the stack. */
ZC_MAP struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct zc_command);
} new_command SEC(".maps");

/*
 * Where arrays of user memory are read in chunks: one read of 4 KiB costs less than two of
 * 16 bytes.
 */
struct zc_chunk {
	char bytes[4096];
} __attribute__((aligned(8)));

ZC_MAP struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct zc_chunk);
} chunks SEC(".maps");

/* What accounts did with pipes, without what is still in a task's zc_pipe_run. */
ZC_MAP struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 65536);
	__type(key, struct zc_pipe_key);
	__type(value, struct zc_pipe_bytes);
} pipes SEC(".maps");

/*
 * What accounts did with files and peers, without what is still in a task's zc_run. Programs
 * write to one of two maps, see runs_active; meanwhile the collector empties the other.
 */
struct zc_run_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 65536);
	__type(key, struct zc_run_key);
	__type(value, struct zc_row_sums);
};

/* Where a key of them is put together; there is no space on the stack. */
ZC_MAP struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct zc_run_key);
} new_run SEC(".maps");

ZC_MAP struct zc_run_map runs_even SEC(".maps");
ZC_MAP struct zc_run_map runs_odd SEC(".maps");

#define ZC_BUFFERS 32
#define ZC_PROBES 4

/* Memory that a process read into. */
struct zc_buffer {
	__u64 start;
	__u32 size;
	struct zc_key key;	/* the row that read it */
	__u32 counted;		/* something of it was passed on */
	__u32 taken;		/* a thread is changing it */
	struct zc_channel channel;
	__u64 probes[ZC_PROBES];	/* some of its bytes, see zc_probe_offset() */
};

struct zc_buffers {
	__u32 next;	/* to give way, modulo ZC_BUFFERS */
	__u32 empty;	/* index of one that became empty lately, and 1; 0: none is known */
	/*
	 * Of each, the addresses that were not written or overwritten since; both 0: it is empty.
	 * Side by side, because each call compares all of them.
	 */
	__u64 low[ZC_BUFFERS];
	__u64 high[ZC_BUFFERS];
	struct zc_buffer at[ZC_BUFFERS];
};

/* By account; the collector deletes them. */
ZC_MAP struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 8192);
	__type(key, __u64);
	__type(value, struct zc_buffers);
} buffers SEC(".maps");

/* A call that moved bytes from or to memory. */
struct zc_moved {
	__u64 account;
	__u64 address;	/* enum zc_memory says of what */
	__u64 count;	/* of elements of a vector */
	__u64 bytes;
	struct zc_key key;
	__u32 memory;	/* enum zc_memory */
	__u32 writes;	/* from memory */
	__u32 matched;	/* it passed bytes on */
	__u32 appends;	/* into a file that is open with O_APPEND */
	__u32 forgets;	/* from a device: what it overwrites is not passed on, nor is it itself */
	struct zc_channel channel;	/* the other end */
};

ZC_MAP struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct zc_moved);
} moved_bytes SEC(".maps");

/* What accounts passed on. */
ZC_MAP struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 16384);
	__type(key, struct zc_relay_key);
	__type(value, struct zc_relay_sums);
} relays SEC(".maps");

/* Where a key of it is put together. */
ZC_MAP struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct zc_relay_key);
} new_relay SEC(".maps");

/* Channels whose names user space was told, and a mixture of what the name consists of. */
ZC_MAP struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, struct zc_channel);
	__type(value, __u64);
} named SEC(".maps");

/* struct zc_channel_name, each with what follows it. */
ZC_MAP struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 22);
} names SEC(".maps");

/* Where a name is put together. A path is written from its end. */
struct zc_new_name {
	struct zc_channel_name head;
	/* In front of text[], so that the head can be put right before a path. */
	char before[sizeof(struct zc_channel_name)];
	/*
	 * More than a path and a component need: the verifier does not see that a path that
	 * begins late is short.
	 */
	char text[2 * ZC_PATH_BYTES + 256];
};

ZC_MAP struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct zc_new_name);
} new_name SEC(".maps");

/* How a completion of io_uring identifies its request. */
struct zc_request_id {
	__u64 ring;
	__u64 user_data;
};

struct zc_multishot {
	__u64 address;
	__u64 share;	/* that it counts in */
};

/* The multishot requests that have not ended. */
ZC_MAP struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 65536);
	__type(key, struct zc_request_id);
	__type(value, struct zc_multishot);
} multishots SEC(".maps");

/* A context of native AIO: the start of its process, and its id. */
struct zc_aio_context {
	__u64 process;
	__u64 address;
};

ZC_MAP struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 16384);
	__type(key, struct zc_aio_context);
	__type(value, struct zc_aio_seen);
} aio_contexts SEC(".maps");

#define ZC_AIO_CONTEXTS 64

/* The contexts of a process, so that they are found when it ends. */
struct zc_aio_process {
	__u64 contexts[ZC_AIO_CONTEXTS];	/* their addresses; 0: free */
};

ZC_MAP struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 16384);
	__type(key, __u64);
	__type(value, struct zc_aio_process);
} aio_processes SEC(".maps");

/*
 * The requests in flight; by default the kernel allows 65,536 of them. Those of contexts that
 * are gone stay until the collector deletes them: the programs have no time to find them.
 */
ZC_MAP struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 65536);
	__type(key, struct zc_aio_request);
	__type(value, struct zc_aio_note);
} aio_requests SEC(".maps");

/* Reads of native AIO that met no memory, in the program that runs. */
ZC_MAP struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} aio_faults SEC(".maps");

/* Processes to attach to, by their PID in zctrace's namespace. */
ZC_MAP struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 65536);
	__type(key, __u32);
	__type(value, __u32);
} wanted_pids SEC(".maps");

#endif
