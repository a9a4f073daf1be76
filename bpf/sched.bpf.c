// SPDX-License-Identifier: GPL-2.0
/* Charges context switches, and the time off the CPU, to the call in flight. */
#include "bpf/calls/calls.bpf.h"
#include "kernel_counts.bpf.h"

#define ENOSYS 38

/*
 * If there is no program at entry, the registers tell which call is in flight. It is
 * noted until its exit, because a descriptor may be closed while the call waits. On
 * x86-64 the result register holds -ENOSYS from entry until there is a result; on
 * other architectures a call in flight looks like one that has ended. `task` is still
 * the current task.
 */
static __always_inline void zc_note_call(struct zc_task *state, struct task_struct *task)
{
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(task);
	const volatile struct zc_call *call;
	__u32 index;
	long number;

	if (!bpf_core_field_exists(regs->orig_ax) || (long)regs->ax != -ENOSYS)
		return;
	number = zc_regs_call(regs);
	/* -1: user code was interrupted or faulted. */
	if (number < 0)
		return;
	index = zc_index_of(task, regs, number);
	if (zc_foreign_call(task, number))
		state->head.flags |= ZC_TASK_COMPAT;
	call = zc_call_at(index);
	if (call->result == ZC_RESULT_RESTART) {
		state->head.flags &= ~ZC_TASK_COMPAT;
		return;
	}
	zc_note_row(state, task, regs, index, ZC_APART | ZC_SWITCHING);
	state->head.entered_ns = 0;
}

/* The task has exited and its rows are folded, so this goes straight to its account. */
static __always_inline void zc_switch_exited(struct zc_task *state, struct task_struct *task,
					     bool dead, bool voluntary)
{
	struct zc_usage usage = {};
	struct zc_account *account;

	account = bpf_map_lookup_elem(&accounts, &state->head.account);
	if (!account)
		return;
	if (!dead) {
		if (voluntary)
			__sync_fetch_and_add(&account->outside.voluntary, 1);
		else
			__sync_fetch_and_add(&account->outside.involuntary, 1);
		return;
	}
	zc_usage_of(task, &usage);
	zc_usage_subtract(&usage, &state->head.base);
	zc_usage_add(&account->usage, &usage);
	zc_verify_dead(state, task);
	/*
	 * A thread that runs exec waits for its leader to exit, and takes over its number and
	 * this bit; sched_process_exec comes only later.
	 */
	if (task->pid != task->tgid || !BPF_CORE_READ(task, signal, group_exec_task))
		zc_observed_clear(task->pid);
	/* Last, because the collector may then delete the account. */
	__sync_fetch_and_add(&account->dead, 1);
}

static __always_inline void zc_switch_out(struct task_struct *task, bool dead)
{
	struct zc_task *state = zc_task_find(task);
	struct zc_row *row;
	bool voluntary;

	if (!state)
		return;
	/*
	 * The kernel has already counted this switch. Its counter tells whether it
	 * was voluntary, so the sums equal getrusage's. prev_state does not tell:
	 * since 6.15 it is cleared when a signal is pending.
	 */
	voluntary = task->nvcsw != state->head.nvcsw;
	state->head.nvcsw = task->nvcsw;
	/* Dead but not folded: zctrace attached to it while it was exiting. */
	if (dead || state->head.flags & ZC_TASK_FOLDED) {
		zc_switch_exited(state, task, dead, voluntary);
		return;
	}
	if (!zc_counting())
		return;
	if (config.latency)
		state->head.switched_ns = bpf_ktime_get_ns();
	if (state->head.call < 0 && !(state->head.flags & ZC_TASK_WORKER) &&
	    (!config.latency || state->head.flags & ZC_TASK_FRESH))
		zc_note_call(state, task);
	row = state->head.call >= 0 ? zc_task_row(state, state->head.slot) : 0;
	if (row) {
		if (voluntary)
			row->voluntary++;
		else
			row->involuntary++;
	} else if (voluntary) {
		state->head.outside.voluntary++;
	} else {
		state->head.outside.involuntary++;
	}
}

static __always_inline void zc_switch_in(struct task_struct *task)
{
	struct zc_task *state = zc_task_find(task);
	__u64 off_cpu_ns;

	if (!state || !state->head.switched_ns)
		return;
	off_cpu_ns = bpf_ktime_get_ns() - state->head.switched_ns;
	state->head.switched_ns = 0;
	/* The call's row gets it together with the call's time, of which it is a part. */
	if (state->head.call >= 0)
		state->head.call_off_cpu_ns += off_cpu_ns;
	else
		state->head.outside.off_cpu_ns += off_cpu_ns;
}

SEC("zc_tp_btf/sched_switch")
int BPF_PROG(zc_sched_switch, bool preempt, struct task_struct *prev,
	     struct task_struct *next, unsigned int prev_state)
{
	zc_switch_out(prev, !preempt && prev_state & TASK_DEAD);
	if (config.latency)
		zc_switch_in(next);
	return 0;
}
