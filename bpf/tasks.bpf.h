/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which tasks are observed, their state, and counters of losses. A task's state is
 * written only by the task itself or, while it is off its CPU, by a CPU that holds the
 * lock of its run queue; so plain increments are enough. Inline, see docs/design.md.
 */
#ifndef ZC_TASKS_H
#define ZC_TASKS_H

#include "config.bpf.h"
#include "counters.bpf.h"
#include "maps.bpf.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

/* Linux allows 2^22 tasks (PID_MAX_LIMIT). */
#define ZC_MAX_TIDS (1 << 22)

/* Of task_struct.__state, from the last switch on. */
#define TASK_DEAD 0x80

/* User space writes it while the programs run; see config.windowed. */
extern __u32 window_open;

/* One bit for each tid: set when a task is observed, cleared at its last switch. */
extern __u64 observed[ZC_MAX_TIDS / 64];
/* How often a bit was set, ever. */
extern __u64 observations;
/* Calls that were in flight when zctrace attached to their task. */
extern __u64 in_flight_at_start;
extern __u64 losses[ZC_LOSSES];
extern struct zc_share shares[ZC_SHARES];
/* How often a row was added to `folded`. */
extern __u64 rows_folded;

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

/*
 * For a pointer that is loaded through a trusted one, the verifier of 6.18 searches all types by
 * name, on each path. So where the time does not matter, a helper reads such pointers.
 */
static __always_inline struct task_struct *zc_leader_of(const struct task_struct *task)
{
	return BPF_CORE_READ(task, group_leader);
}

static __always_inline bool zc_counting(void)
{
	return !config.windowed || window_open;
}

static __always_inline void zc_lose(enum zc_loss reason, __u64 count)
{
	__sync_fetch_and_add(&losses[reason], count);
}

static __always_inline struct zc_share *zc_share_at(__u64 index)
{
	return &shares[index % ZC_SHARES];
}

static __always_inline bool zc_observed_tid(__u32 tid)
{
	return observed[(tid / 64) % (ZC_MAX_TIDS / 64)] >> (tid % 64) & 1;
}

static __always_inline bool zc_observed(const struct task_struct *task)
{
	return zc_observed_tid(task->pid);
}

/* An atomic operation whose result is used is a full barrier on every architecture. */
static __always_inline void zc_count_observation(__u64 count)
{
	__u64 before = __sync_fetch_and_add(&observations, count);

	barrier_var(before);
}

static __always_inline void zc_full_barrier(void)
{
	zc_count_observation(0);
}

/* The bit comes before the counter, see bystanders.bpf.h. */
static __always_inline void zc_observed_set(__u32 tid)
{
	__sync_fetch_and_or(&observed[(tid / 64) % (ZC_MAX_TIDS / 64)], 1ULL << (tid % 64));
	zc_count_observation(1);
}

static __always_inline void zc_observed_clear(__u32 tid)
{
	__sync_fetch_and_and(&observed[(tid / 64) % (ZC_MAX_TIDS / 64)], ~(1ULL << (tid % 64)));
}

/* The same; whether it was set. Only one of several CPUs is told so. */
static __always_inline bool zc_observed_take(__u32 tid)
{
	__u64 bit = 1ULL << (tid % 64);

	return __sync_fetch_and_and(&observed[(tid / 64) % (ZC_MAX_TIDS / 64)], ~bit) & bit;
}

/* The values of the three maps begin alike. */
static __always_inline struct zc_task *zc_task_state(struct task_struct *task, __u64 flags)
{
	if (config.wide_tasks)
		return bpf_task_storage_get(&tasks_wide, task, 0, flags);
	if (config.channels)
		return bpf_task_storage_get(&tasks_channels, task, 0, flags);
	return bpf_task_storage_get(&tasks, task, 0, flags);
}

/* The state of an observed task. NULL is counted as a loss. */
static __always_inline struct zc_task *zc_task_of(struct task_struct *task)
{
	struct zc_task *state = zc_task_state(task, 0);

	/* Before 6.2 a look-up fails if it interrupts another one on this CPU. */
	if (!state)
		zc_lose(ZC_LOST_TASK_BUSY, 1);
	return state;
}

/* NULL: not observed. */
static __always_inline struct zc_task *zc_task_find(struct task_struct *task)
{
	return zc_observed(task) ? zc_task_of(task) : 0;
}

/* Like zc_address(), but costs only a store and a load. */
static __always_inline __u64 zc_number(struct zc_task *task, const void *pointer)
{
	volatile __u64 *place = &task->head.address;

	*place = (__u64)pointer;
	return *place;
}

static __always_inline __u64 zc_slots(void)
{
	return config.wide_tasks ? ZC_SLOTS_WIDE : ZC_SLOTS;
}

/*
 * NULL: no such slot. Without the barrier the compiler computes the address before
 * the check, where the verifier knows no bound.
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
	if (config.wide_tasks)
		return &((struct zc_task_wide *)task)->rows[slot];
	return &task->rows[slot];
}

/* NULL: no such slot. Only with config.channels. */
static __always_inline struct zc_run *zc_task_run(struct zc_task *task, __u64 slot)
{
	if (slot >= zc_slots())
		return 0;
	barrier_var(slot);
	if (config.wide_tasks)
		return &((struct zc_task_wide *)task)->runs[slot];
	return &((struct zc_task_channels *)task)->runs[slot];
}

/* Only with config.channels. */
static __always_inline struct zc_call_channels *zc_task_call(struct zc_task *task)
{
	if (config.wide_tasks)
		return &((struct zc_task_wide *)task)->call;
	return &((struct zc_task_channels *)task)->call;
}

/* Only with config.mapped. */
static __always_inline struct zc_fault *zc_task_fault(struct zc_task *task)
{
	if (config.wide_tasks)
		return &((struct zc_task_wide *)task)->fault;
	return &((struct zc_task_channels *)task)->fault;
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
	zc_counters_subtract(usage, base, ZC_COUNTERS(*usage));
}

static __always_inline void zc_usage_add(struct zc_usage *sum, const struct zc_usage *usage)
{
	zc_counters_add(sum, usage, ZC_COUNTERS(*sum));
}

#endif
