/* SPDX-License-Identifier: GPL-2.0 */
/* The kernel's own counts of a task, read where observation begins and ends. */
#ifndef ZC_VERIFY_H
#define ZC_VERIFY_H

#include "tasks.bpf.h"

static __always_inline void zc_kernel_counts_of(const struct task_struct *task,
						struct zc_kernel_counts *counts)
{
	counts->voluntary = task->nvcsw;
	counts->involuntary = task->nivcsw;
	/* Without CONFIG_TASK_XACCT user space leaves these alone. */
	if (!bpf_core_field_exists(task->ioac.rchar))
		return;
	counts->rchar = task->ioac.rchar;
	counts->wchar = task->ioac.wchar;
	counts->syscr = task->ioac.syscr;
	counts->syscw = task->ioac.syscw;
}

/* What is counted so far is what comes before observation. */
static __always_inline void zc_verify_from_here(struct zc_task *state,
						const struct task_struct *task)
{
	if (verifying)
		zc_kernel_counts_of(task, &state->head.counts_base);
}

static __always_inline void zc_kernel_counts_since(const struct zc_task *state,
						   const struct task_struct *task,
						   struct zc_kernel_counts *counts)
{
	const struct zc_kernel_counts *base = &state->head.counts_base;

	zc_kernel_counts_of(task, counts);
	counts->rchar -= base->rchar;
	counts->wchar -= base->wchar;
	counts->syscr -= base->syscr;
	counts->syscw -= base->syscw;
	counts->voluntary -= base->voluntary;
	counts->involuntary -= base->involuntary;
}

static __always_inline void zc_kernel_counts_add(struct zc_kernel_counts *sum,
						 const struct zc_kernel_counts *counts)
{
	__sync_fetch_and_add(&sum->rchar, counts->rchar);
	__sync_fetch_and_add(&sum->wchar, counts->wchar);
	__sync_fetch_and_add(&sum->syscr, counts->syscr);
	__sync_fetch_and_add(&sum->syscw, counts->syscw);
	__sync_fetch_and_add(&sum->voluntary, counts->voluntary);
	__sync_fetch_and_add(&sum->involuntary, counts->involuntary);
}

/* Of a task that leaves its CPU for the last time: added to its account. */
static __always_inline void zc_verify_dead(struct zc_task *state, const struct task_struct *task)
{
	struct zc_kernel_counts counts = {};
	struct zc_folded_counts *sum;

	if (!verifying)
		return;
	sum = bpf_map_lookup_elem(&kernel_counts, &state->head.account);
	if (!sum)
		return;
	zc_kernel_counts_since(state, task, &counts);
	/* This very switch is counted by the kernel, and by nobody else. */
	counts.voluntary--;
	zc_kernel_counts_add(&sum->observed, &counts);
	zc_kernel_counts_add(&sum->besides, &state->head.counts_base);
}

#endif
