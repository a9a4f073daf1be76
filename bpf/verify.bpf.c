// SPDX-License-Identifier: GPL-2.0
/*
 * execve reads the program's headers, a script's first line and the loader's headers
 * with kernel_read(), which the kernel adds to the caller's rchar and syscr. No call
 * says so; what is read between entry and exit is taken out again.
 */
#include "verify.bpf.h"

const volatile __u32 execve_call = 0;
const volatile __u32 execveat_call = 0;

SEC("?tp_btf/sys_enter")
int BPF_PROG(zc_exec_begins, struct pt_regs *regs, long number)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct zc_kernel_counts now = {};
	struct zc_task *state;

	if ((number != execve_call && number != execveat_call) || !zc_observed(task))
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
