// SPDX-License-Identifier: GPL-2.0
/* Counts syscalls at their exit, by their results. The entry only notes the row and the time. */
#include "bpf/bystanders.bpf.h"
#include "bytes.bpf.h"
#include "copies.bpf.h"
#include "bpf/histogram.bpf.h"
#include "bpf/relays/relays.bpf.h"
#include "sampling.bpf.h"
#include "bpf/stacks/stacks.bpf.h"

#define ERESTARTSYS 512
#define ERESTART_RESTARTBLOCK 516
#define MAX_ERRNO 4095
#define ENOSYS 38
#define SIGSYS 31

static __always_inline bool zc_is_restart(long ret)
{
	return ret <= -ERESTARTSYS && ret >= -ERESTART_RESTARTBLOCK;
}

static __always_inline bool zc_is_error(long ret)
{
	return ret < 0 && ret >= -MAX_ERRNO;
}

static __always_inline int zc_call_begins(struct task_struct *task, struct pt_regs *regs,
					  long number)
{
	struct zc_task *state;
	struct zc_key key;
	__u32 index;

	if (!zc_counting())
		return 0;
	state = zc_task_of(task);
	if (!state)
		return 0;
	index = zc_call_index(number);
	if (state->head.flags)
		state->head.flags &= ~(ZC_TASK_FRESH | ZC_TASK_RUNNING | ZC_TASK_SAMPLED);
	if (zc_foreign_call(task, number)) {
		index = zc_index_of(task, regs, number);
		state->head.flags |= ZC_TASK_COMPAT;
	}
	key = zc_note_key(state, task, regs, index, 0);
	if (config.channels && !zc_channels_repeat(state, index, state->head.slot))
		zc_channels_begin(state, task, regs, index, state->head.slot);
	if (zc_call_at(index)->from != ZC_END_NONE)
		zc_copies_begin(state, task, regs, key);
	state->head.entered_ns = zc_entry_time(state);
	return 0;
}

SEC("?zc_tp_btf/sys_enter")
int BPF_PROG(zc_sys_enter, struct pt_regs *regs, long number)
{
	struct task_struct *task = zc_observed_caller(regs);

	return task ? zc_call_begins(task, regs, number) : 0;
}

/*
 * Whether seccomp turned the call into a signal (SECCOMP_RET_TRAP): then the result
 * register holds the call's number again, and the signal is still pending.
 */
static __always_inline bool zc_trapped(const struct task_struct *task, long number, long ret)
{
	return number == ret && task->pending.signal.sig[0] & (1UL << (SIGSYS - 1));
}

/* For an exit whose entry no program saw. False: it is not the exit of a call. */
static __always_inline bool zc_unentered(struct zc_task *state, struct task_struct *task,
					 struct pt_regs *regs, long *ret)
{
	long number = zc_regs_call(regs);
	__u32 index = zc_call_index(number);

	if (state->head.flags) {
		if (state->head.flags & ZC_TASK_RUNNING)
			__sync_fetch_and_add(&in_flight_at_start, 1);
		state->head.flags &= ~(ZC_TASK_FRESH | ZC_TASK_RUNNING);
	}
	/* Entered before the window opened. */
	if (config.latency && config.windowed)
		return false;
	if (zc_foreign_call(task, number)) {
		index = zc_index_of(task, regs, number);
		state->head.flags |= ZC_TASK_COMPAT;
	}
	/* rt_sigreturn restored the registers of a moment when no call was in progress. */
	if (number == -1 && *ret != -ENOSYS)
		index = config.sigreturn_call;
	if (zc_call_at(index)->result == ZC_RESULT_FORK && *ret == 0) {
		state->head.flags &= ~ZC_TASK_COMPAT;
		return false;
	}
	/* Seccomp answers before sys_enter. Its answer is the result, unless it is a signal. */
	if (zc_trapped(task, number, *ret))
		*ret = -1;
	zc_note_row(state, task, regs, index, config.latency ? ZC_APART : 0);
	state->head.entered_ns = 0;
	return true;
}

static __always_inline void zc_count_errno(struct zc_task *state, __u32 number)
{
	struct zc_key *key = zc_task_key(state, state->head.slot);

	if (key)
		zc_tally_error(state->head.account, *key, number);
}

/* After a recvmsg. */
static __always_inline void zc_look_for_finished_sends(struct zc_task *state,
						       const struct task_struct *task,
						       struct pt_regs *regs)
{
	struct zc_args args = zc_args_of(task, regs, false);
	__u64 sends;

	if (!(args.arg[2] & MSG_ERRQUEUE))
		return;
	sends = zc_finished_sends(args.arg[1]);
	if (sends)
		zc_sends_done(state, zc_file_number(zc_current_file(args.arg[0])),
			      sends & ZC_SENDS_COPIED, (__u32)sends);
}

static __always_inline int zc_call_ends(struct task_struct *task, struct pt_regs *regs, long ret)
{
	struct zc_task *state;
	struct zc_key *key;
	struct zc_row *row;
	__u64 wall_ns, bytes = 0;
	bool compat;
	__u8 result;

	if (!zc_counting())
		return 0;
	state = zc_task_of(task);
	if (!state)
		return 0;
	if (state->head.call < 0 && !zc_unentered(state, task, regs, &ret))
		return 0;
	row = zc_task_row(state, state->head.slot);
	if (!row)
		return 0;
	result = zc_call_at(state->head.call)->result;
	compat = state->head.flags & ZC_TASK_COMPAT;
	row->calls++;
	if (zc_is_restart(ret)) {
		row->restarts++;
		key = zc_task_key(state, state->head.slot);
		if (ret == -ERESTART_RESTARTBLOCK && key) {
			state->head.restarted = *key;
			state->head.restartable = 1;
		}
	} else if (zc_is_error(ret)) {
		row->errors++;
		/* The kernel may fail to tell the caller of a message that it has moved. */
		if (state->head.messages)
			row->bytes += zc_take_messages(state);
		zc_count_errno(state, -ret);
	} else if (result != ZC_RESULT_NONE) {
		bytes = zc_call_bytes(state, task, regs, result, ret, compat);
		row->bytes += bytes;
		if (state->head.pipes && bytes)
			zc_pipes_add(&state->head, state->head.pipes, bytes);
		if (config.relays && bytes)
			zc_relay_call(state, regs, bytes);
		if (result == ZC_RESULT_RECVMSG && !compat)
			zc_look_for_finished_sends(state, task, regs);
	}
	if (result != ZC_RESULT_NONE)
		zc_copies_end(state, task, regs, row, bytes);
	/* Up to here the row must not be evicted for a row of native AIO. */
	state->head.call = -1;
	if (compat) {
		state->head.flags &= ~ZC_TASK_COMPAT;
		state->head.compat_calls++;
	}
	if (zc_is_untimed(state)) {
		zc_untimed_call(state, row);
	} else if (config.latency && state->head.entered_ns) {
		wall_ns = bpf_ktime_get_ns() - state->head.entered_ns;
		row->wall_ns += wall_ns;
		row->off_cpu_ns += state->head.call_off_cpu_ns;
		if (config.adaptive && state->head.flags & ZC_TASK_SAMPLED) {
			state->head.flags &= ~ZC_TASK_SAMPLED;
			zc_sample_call(row, wall_ns - state->head.call_off_cpu_ns);
		}
		row->latency[zc_bucket(wall_ns) % ZC_BUCKETS]++;
		if (wall_ns > row->max_ns)
			row->max_ns = wall_ns;
		if (wall_ns < row->min_ns || !row->min_ns)
			row->min_ns = wall_ns;
	} else if (config.latency) {
		/* A call without a time has no time off the CPU either. */
		state->head.outside.off_cpu_ns += state->head.call_off_cpu_ns;
	}
	state->head.call_off_cpu_ns = 0;
	/* Last, because it doubles the paths of what follows. */
	zc_stacks_moved(state, state->head.slot, bytes, compat ? ZC_STACK_COMPAT : 0);
	return 0;
}

SEC("zc_tp_btf/sys_exit")
int BPF_PROG(zc_sys_exit, struct pt_regs *regs, long ret)
{
	struct task_struct *task = zc_observed_caller(regs);

	return task ? zc_call_ends(task, regs, ret) : 0;
}
