// SPDX-License-Identifier: GPL-2.0
/*
 * Some calls make the kernel read or write files in the caller's name, with kernel_read()
 * or kernel_write(): execve reads the program's headers, btrfs's send ioctl writes the
 * stream. The kernel adds that to the caller's rchar, wchar, syscr and syscw although no
 * read or write was called. So what these counters gain during any call that is not
 * itself counted there is subtracted again.
 */
#include "calls.bpf.h"
#include "bpf/kernel_counts.bpf.h"

SEC("?zc_tp_btf/sys_enter")
int BPF_PROG(zc_unacc_begins, struct pt_regs *regs, long number)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct zc_kernel_counts now = {};
	struct zc_task *state;

	if (!zc_observed(task) || zc_call_at(zc_index_of(task, regs, number))->accounted)
		return 0;
	state = zc_task_state(task, 0);
	if (!state)
		return 0;
	zc_kernel_counts_of(task, &now);
	state->head.before_call.rchar = now.rchar;
	state->head.before_call.wchar = now.wchar;
	state->head.before_call.syscr = now.syscr;
	state->head.before_call.syscw = now.syscw;
	state->head.flags |= ZC_TASK_UNACCOUNTED;
	return 0;
}

SEC("?zc_tp_btf/sys_exit")
int BPF_PROG(zc_unacc_ends, struct pt_regs *regs, long ret)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct zc_kernel_counts now = {};
	struct zc_kernel_counts *base;
	struct zc_task *state;

	if (!zc_observed(task))
		return 0;
	state = zc_task_state(task, 0);
	if (!state || !(state->head.flags & ZC_TASK_UNACCOUNTED))
		return 0;
	state->head.flags &= ~ZC_TASK_UNACCOUNTED;
	zc_kernel_counts_of(task, &now);
	base = &state->head.counts_base;
	base->rchar += now.rchar - state->head.before_call.rchar;
	base->wchar += now.wchar - state->head.before_call.wchar;
	base->syscr += (__u32)now.syscr - state->head.before_call.syscr;
	base->syscw += (__u32)now.syscw - state->head.before_call.syscw;
	return 0;
}
