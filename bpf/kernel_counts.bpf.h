/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel's own counts of a task, read when observing it starts and ends. Inline,
 * because Linux 6.1 does not let a global function take a task.
 */
#ifndef ZC_KERNEL_COUNTS_H
#define ZC_KERNEL_COUNTS_H

#include "tasks.bpf.h"

static __always_inline void zc_kernel_counts_of(const struct task_struct *task,
						struct zc_kernel_counts *counts)
{
	counts->voluntary = task->nvcsw;
	counts->involuntary = task->nivcsw;
	/* Without CONFIG_TASK_XACCT user space does not compare these. */
	if (!bpf_core_field_exists(task->ioac.rchar))
		return;
	counts->rchar = task->ioac.rchar;
	counts->wchar = task->ioac.wchar;
	counts->syscr = task->ioac.syscr;
	counts->syscw = task->ioac.syscw;
}

/* Everything that the kernel counted so far comes before observation. */
static __always_inline void zc_verify_from_here(struct zc_task *state,
						const struct task_struct *task)
{
	if (config.verify)
		zc_kernel_counts_of(task, &state->head.counts_base);
}

static __always_inline void zc_kernel_counts_since(const struct zc_task *state,
						   const struct task_struct *task,
						   struct zc_kernel_counts *counts)
{
	zc_kernel_counts_of(task, counts);
	zc_counters_subtract(counts, &state->head.counts_base, ZC_COUNTERS(*counts));
}

static __always_inline void zc_kernel_counts_add(struct zc_kernel_counts *sum,
						 const struct zc_kernel_counts *counts)
{
	zc_counters_add(sum, counts, ZC_COUNTERS(*sum));
}

/* When a task leaves its CPU for the last time, its counts go to its account. */
static __always_inline void zc_verify_dead(struct zc_task *state, const struct task_struct *task)
{
	struct zc_kernel_counts counts = {};
	struct zc_folded_counts *sum;

	if (!config.verify)
		return;
	sum = bpf_map_lookup_elem(&kernel_counts, &state->head.account);
	if (!sum)
		return;
	zc_kernel_counts_since(state, task, &counts);
	/* The kernel has counted this very switch; zctrace does not. */
	counts.voluntary--;
	zc_kernel_counts_add(&sum->observed, &counts);
	zc_kernel_counts_add(&sum->besides, &state->head.counts_base);
}

#endif
