/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Bystanders: tasks that are not observed. They, too, enter the programs at each
 * syscall, so the programs must let them go as soon as possible: all of this is inline.
 *
 * Goal: a bystander's syscall costs at most 1.05 times the floor, which is what two
 * empty programs cost. Measured in one run on Linux 6.18, for a read and write of 512
 * bytes: 117 ns a syscall with empty programs, 144 ns with a check of the bitmap of
 * observed tasks, 122 ns with the note that is kept here. The floor varies from run to
 * run; docs/cost.md has another.
 *
 * The note says which task was found unobserved on this CPU last. A task's registers
 * lie at the end of its kernel stack, so their address identifies it, and the programs
 * need not ask for the current task. The note is void as soon as any task starts being
 * observed. sched_switch cannot do this: on some kernels it does not see every switch,
 * and then counts would be lost.
 */
#ifndef ZC_BYSTANDERS_H
#define ZC_BYSTANDERS_H

#include "tasks.bpf.h"

/*
 * NULL: this kernel (before 6.10) calls a function to look up a per-CPU array, which
 * costs more than the note saves.
 */
static __always_inline struct zc_bystander *zc_bystander_note(void)
{
	__u32 only = 0;

	return config.fast_cpu_maps ? bpf_map_lookup_elem(&bystanders, &only) : 0;
}

static __always_inline bool zc_noted(const struct zc_bystander *note, const struct pt_regs *regs)
{
	return note && note->regs == (__u64)regs && note->observations == observations;
}

/* Does what zc_observed() does, and notes a task that is not observed. */
static __always_inline bool zc_observed_or_noted(struct zc_bystander *note,
						 const struct task_struct *task,
						 const struct pt_regs *regs)
{
	__u64 seen, nothing;
	__u32 tid = task->pid;

	if (!note)
		return zc_observed(task);
	/*
	 * The bit must be read after the counter. Otherwise a task that starts being
	 * observed in between would be noted as a bystander forever. The address of the
	 * bit depends on the counter's value, by a zero: processors keep that order.
	 */
	nothing = seen = *(volatile __u64 *)&observations;
	asm volatile("%0 &= 0" : "+r"(nothing));
	if (zc_observed_tid(tid + nothing))
		return true;
	note->regs = (__u64)regs;
	note->observations = seen;
	return false;
}

/* The current task, whose registers these are; NULL if it is not observed. */
static __always_inline struct task_struct *zc_observed_caller(const struct pt_regs *regs)
{
	struct zc_bystander *note = zc_bystander_note();
	struct task_struct *task;

	if (zc_noted(note, regs))
		return 0;
	task = bpf_get_current_task_btf();
	return zc_observed_or_noted(note, task, regs) ? task : 0;
}

#endif
