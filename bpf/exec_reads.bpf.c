// SPDX-License-Identifier: GPL-2.0
/*
 * execve reads the headers of the program and its loader, and the first line of a
 * script, with kernel_read(). The kernel adds these reads to the caller's rchar and
 * syscr although no syscall made them, so they are subtracted again.
 */
#include "kernel_counts.bpf.h"


SEC("?tp_btf/sys_enter")
int BPF_PROG(zc_exec_begins, struct pt_regs *regs, long number)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct zc_kernel_counts now = {};
	struct zc_task *state;

	if ((number != config.execve_call && number != config.execveat_call) || !zc_observed(task))
		return 0;
	state = zc_task_state(task, 0);
	if (!state)
		return 0;
	zc_kernel_counts_of(task, &now);
	state->head.before_exec.rchar = now.rchar;
	state->head.before_exec.syscr = now.syscr;
	state->head.flags |= ZC_TASK_EXECS;
	return 0;
}

SEC("?tp_btf/sys_exit")
int BPF_PROG(zc_exec_ends, struct pt_regs *regs, long ret)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct zc_kernel_counts now = {};
	struct zc_task *state;

	if (!zc_observed(task))
		return 0;
	state = zc_task_state(task, 0);
	if (!state || !(state->head.flags & ZC_TASK_EXECS))
		return 0;
	state->head.flags &= ~ZC_TASK_EXECS;
	zc_kernel_counts_of(task, &now);
	state->head.counts_base.rchar += now.rchar - state->head.before_exec.rchar;
	state->head.counts_base.syscr += now.syscr - state->head.before_exec.syscr;
	return 0;
}
