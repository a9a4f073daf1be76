/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Who is observed, and the rows of each: what every program starts from.
 * A task's state is written by that task alone, or under its run queue's lock
 * while it is off its CPU, so plain increments are enough.
 */
#ifndef ZC_TASKS_H
#define ZC_TASKS_H

#include "kernel_types.bpf.h"

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

#include "abi.h"

/* Linux allows 2^22 tasks (PID_MAX_LIMIT). */
#define ZC_MAX_TIDS (1 << 22)

/* Set by the collector before loading; the verifier drops what they exclude. */
extern const volatile bool with_latency;
extern const volatile bool wide_tasks;
extern const volatile bool by_thread;
extern const volatile bool follow_children;
extern const volatile bool windowed;
extern const volatile bool have_fast_cpu_maps;
extern const volatile __u32 task_limit;
extern const volatile bool verifying;
extern const volatile __u32 pid_namespace_inum;
extern const volatile __u32 compat_status_mask;
extern const volatile __u32 compat_flags_mask;

/* Written by user space while the programs run. */
extern __u32 window_open;

extern __u64 observed[ZC_MAX_TIDS / 64];
extern __u64 observations;
extern __u64 losses[ZC_LOSSES];

extern struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct zc_bystander);
} bystanders SEC(".maps");

extern struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct zc_task);
} tasks SEC(".maps");

extern struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct zc_task_wide);
} tasks_wide SEC(".maps");

extern struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 131072);
	__type(key, struct zc_row_key);
	__type(value, struct zc_row);
} rows SEC(".maps");

extern struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 65536);
	__type(key, __u64);
	__type(value, struct zc_account);
} accounts SEC(".maps");

/* By account: what the kernel counted of its tasks that are gone. */
extern struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 65536);
	__type(key, __u64);
	__type(value, struct zc_folded_counts);
} kernel_counts SEC(".maps");

/*
 * A pointer as a plain number, for functions that the verifier checks on their
 * own and that take no kernel pointers. Read from memory, it has lost its type.
 */
static __always_inline __u64 zc_address(const void *pointer)
{
	__u64 address = 0;

	bpf_probe_read_kernel(&address, sizeof(address), &pointer);
	return address;
}

static __always_inline void zc_lose(enum zc_loss reason, __u64 count)
{
	__sync_fetch_and_add(&losses[reason], count);
}

static __always_inline bool zc_observed_tid(__u32 tid)
{
	return observed[(tid / 64) % (ZC_MAX_TIDS / 64)] >> (tid % 64) & 1;
}

static __always_inline bool zc_observed(const struct task_struct *task)
{
	return zc_observed_tid(task->pid);
}

/*
 * Whether the caller of a syscall was found unobserved before, on this CPU. Its
 * registers lie at the end of its own kernel stack, so their address is enough to
 * know it, and asking for the current task is saved. Not by what sched_switch tells:
 * a kernel may leave switches out there, and a count would be lost.
 */
static __always_inline struct zc_bystander *zc_bystander(void)
{
	__u32 only = 0;

	return have_fast_cpu_maps ? bpf_map_lookup_elem(&bystanders, &only) : 0;
}

static __always_inline bool zc_known_bystander(const struct zc_bystander *bystander,
					       const struct pt_regs *regs)
{
	return bystander && bystander->regs == (__u64)regs &&
	       bystander->observations == observations;
}

/* zc_observed(), and a note of a bystander for its next syscall on this CPU. */
static __always_inline bool zc_observed_caller(struct zc_bystander *bystander,
					       const struct task_struct *task,
					       const struct pt_regs *regs)
{
	__u64 seen, nothing;
	__u32 tid = task->pid;

	if (!bystander)
		return zc_observed(task);
	/*
	 * The bit is read after the counter, or a task that begins to be observed in
	 * between would be passed over from then on. The address of the bit depends on
	 * the counter's value, by nothing: processors keep that order.
	 */
	nothing = seen = *(volatile __u64 *)&observations;
	asm volatile("%0 &= 0" : "+r"(nothing));
	if (zc_observed_tid(tid + nothing))
		return true;
	bystander->regs = (__u64)regs;
	bystander->observations = seen;
	return false;
}

/* The bit first: who then sees the old counter was before it. */
static __always_inline void zc_observed_set(__u32 tid)
{
	__u64 before;

	__sync_fetch_and_or(&observed[(tid / 64) % (ZC_MAX_TIDS / 64)], 1ULL << (tid % 64));
	/* With its result used, it is a full barrier on every architecture. */
	before = __sync_fetch_and_add(&observations, 1);
	barrier_var(before);
}

static __always_inline void zc_observed_clear(__u32 tid)
{
	__sync_fetch_and_and(&observed[(tid / 64) % (ZC_MAX_TIDS / 64)], ~(1ULL << (tid % 64)));
}

/* Both maps' values begin alike; only the number of rows differs. */
static __always_inline struct zc_task *zc_task_state(struct task_struct *task, __u64 flags)
{
	if (wide_tasks)
		return bpf_task_storage_get(&tasks_wide, task, 0, flags);
	return bpf_task_storage_get(&tasks, task, 0, flags);
}

/* Of an observed task; NULL is a loss, counted. */
static __always_inline struct zc_task *zc_task_of(struct task_struct *task)
{
	struct zc_task *state = zc_task_state(task, 0);

	/* Before 6.2 a lookup fails while this CPU is inside another one. */
	if (!state)
		zc_lose(ZC_LOST_TASK_BUSY, 1);
	return state;
}

/* NULL: not observed. */
static __always_inline struct zc_task *zc_task_find(struct task_struct *task)
{
	return zc_observed(task) ? zc_task_of(task) : 0;
}

/* As zc_address, at the price of a store and a load: through the task's own state. */
static __always_inline __u64 zc_number(struct zc_task *task, const void *pointer)
{
	volatile __u64 *place = &task->head.address;

	*place = (__u64)pointer;
	return *place;
}

static __always_inline __u64 zc_slots(void)
{
	return wide_tasks ? ZC_SLOTS_WIDE : ZC_SLOTS;
}

/*
 * NULL: no such slot. The barrier keeps the compiler from computing the address
 * before the check, where the verifier knows no bound.
 */
static __always_inline struct zc_key *zc_task_key(struct zc_task *task, __u64 slot)
{
	if (slot >= zc_slots())
		return 0;
	barrier_var(slot);
	return &task->keys[slot];
}

static __always_inline struct zc_row *zc_task_row(struct zc_task *task, __u64 slot)
{
	if (slot >= zc_slots())
		return 0;
	barrier_var(slot);
	if (wide_tasks)
		return &((struct zc_task_wide *)task)->rows[slot];
	return &task->rows[slot];
}

static __always_inline void zc_usage_of(const struct task_struct *task, struct zc_usage *usage)
{
	usage->user_ns = task->utime;
	usage->system_ns = task->stime;
	usage->runtime_ns = task->se.sum_exec_runtime;
	usage->minor_faults = task->min_flt;
	usage->major_faults = task->maj_flt;
}

static __always_inline void zc_usage_subtract(struct zc_usage *usage, const struct zc_usage *base)
{
	usage->user_ns -= base->user_ns;
	usage->system_ns -= base->system_ns;
	usage->runtime_ns -= base->runtime_ns;
	usage->minor_faults -= base->minor_faults;
	usage->major_faults -= base->major_faults;
}

static __always_inline void zc_usage_add(struct zc_usage *sum, const struct zc_usage *usage)
{
	__sync_fetch_and_add(&sum->user_ns, usage->user_ns);
	__sync_fetch_and_add(&sum->system_ns, usage->system_ns);
	__sync_fetch_and_add(&sum->runtime_ns, usage->runtime_ns);
	__sync_fetch_and_add(&sum->minor_faults, usage->minor_faults);
	__sync_fetch_and_add(&sum->major_faults, usage->major_faults);
}

/* Whether the call that the current task is in came through the 32-bit ABI. */
static __always_inline bool zc_compat_call(const struct task_struct *task)
{
	const struct thread_info___status *info = (const void *)&task->thread_info;

	if (bpf_core_field_exists(info->status))
		return info->status & compat_status_mask;
	return task->thread_info.flags & compat_flags_mask;
}

#endif
