/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Calls of the other tables: 32-bit ones (i386 on x86-64, AArch32 on arm64), which have
 * numbers and registers of their own, and x32 ones, which are all counted as unknown.
 * config.calls[] describes the 64-bit table; user space supplies the translation of
 * those 32-bit numbers that matter.
 */
#ifndef ZC_COMPAT_H
#define ZC_COMPAT_H

#include "bpf/tasks.bpf.h"

#define ZC_X32_BIT 0x40000000

struct zc_args {
	__u64 arg[4];
};

/* Index into config.calls[] of a 32-bit call; `argument` is its first one. */
__u32 zc_compat_index(__u64 number, __u32 argument);

/* The arguments of a socketcall() are in memory; false if they cannot be read. */
int zc_socketcall_args(__u32 address, struct zc_args *args);

/* Whether the current task made its call through the 32-bit ABI. */
static __always_inline bool zc_compat_call(const struct task_struct *task)
{
	const struct thread_info___status *info = (const void *)&task->thread_info;

	if (bpf_core_field_exists(info->status))
		return info->status & config.compat_status_mask;
	return task->thread_info.flags & config.compat_flags_mask;
}

/* Whether the number belongs to another table than config.calls[]. */
static __always_inline bool zc_foreign_call(const struct task_struct *task, long number)
{
	return zc_compat_call(task) || (number >= 0 && number & ZC_X32_BIT);
}

static __always_inline void zc_compat_args(const struct task_struct *task, struct pt_regs *regs,
					   struct zc_args *args)
{
	/* On arm64 they are in the same registers as those of 64-bit calls. */
	if (!bpf_core_field_exists(regs->orig_ax) || !zc_compat_call(task))
		return;
	args->arg[0] = (__u32)regs->bx;
	args->arg[1] = (__u32)regs->cx;
	args->arg[2] = (__u32)regs->dx;
	args->arg[3] = (__u32)regs->si;
	if (regs->orig_ax == config.socketcall)
		zc_socketcall_args(args->arg[1], args);
}

#endif
