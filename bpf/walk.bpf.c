// SPDX-License-Identifier: GPL-2.0
/* One pass over all tasks: to begin observing, or to read what is observed. */
#include "calls.bpf.h"
#include "targets.bpf.h"

extern __u64 in_flight_at_start;

/* What the pass is to do; written by user space before it reads the iterator. */
__u32 walk = ZC_WALK_SNAPSHOT;
/* The process or thread to begin with, in zctrace's namespace. */
__u32 armed_pid = 0;

/* Processes to attach to, by their number in zctrace's namespace. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 65536);
	__type(key, __u32);
	__type(value, __u32);
} wanted_pids SEC(".maps");

/* Tasks that began to be observed in a pass, ever. */
__u64 walk_observed = 0;
/* Tasks for which there was no memory; the next pass may have more luck. */
__u64 walk_failed = 0;
/* The same for want of room for their process. */
__u64 walk_no_account = 0;

/* Off its CPU in a call, by its registers; those of a task that runs say nothing. */
static __always_inline bool zc_waits_in_call(struct task_struct *task)
{
	return !task->on_cpu && !(task->flags & PF_IO_WORKER) &&
	       zc_regs_call((struct pt_regs *)bpf_task_pt_regs(task)) >= 0;
}

static __always_inline bool zc_in_call(struct task_struct *task, const struct zc_task *state)
{
	if (state->head.call >= 0)
		return true;
	/* The entry was not seen: there is no program there, or it came before attaching. */
	return (!with_latency || state->head.flags & ZC_TASK_FRESH) && zc_waits_in_call(task);
}

/* ARMED: from its next exec on; FRESH: from now on. */
static __always_inline int zc_begin(struct task_struct *task, __u32 flags)
{
	/* One task's number only: a process by its leader's, or one thread. */
	if (zc_namespace_pid(task) != armed_pid)
		return 0;
	switch (zc_observe_process(task, 0, flags)) {
	case ZC_NO_MEMORY:
		walk_failed++;
		return 0;
	case ZC_NO_ACCOUNT:
		walk_no_account++;
		return 0;
	default:
		walk_observed++;
		return 0;
	}
}

static __always_inline bool zc_matches(struct task_struct *task)
{
	__u32 pid = zc_namespace_pid(task->group_leader);

	if (pid == own_pid)
		return false;
	if (bpf_map_lookup_elem(&wanted_pids, &pid))
		return true;
	if (follow_children && zc_observed(task->real_parent))
		return true;
	/* A thread may have a name of its own. */
	return zc_wants_newcomers() && zc_wanted(zc_address(task->group_leader));
}

/*
 * The account of a thread that is attached to, 0: no room. Its leader, whose state this is,
 * holds it, and gets it first, also when it has exited and other threads go on.
 */
static __always_inline __u64 zc_leaders_account(struct task_struct *leader, struct zc_task *state)
{
	if (state->head.account)
		return state->head.account;
	/* Nothing of it is counted until the walk comes by it. */
	state->head.flags = ZC_TASK_FOLDED;
	state->head.call = -1;
	state->head.account = zc_account_open(leader, 0);
	return state->head.account;
}

static __always_inline enum zc_observing zc_attach_task(struct task_struct *task, __u32 flags)
{
	struct zc_task *state;

	if (by_thread)
		return zc_observe_process(task, 0, flags);
	if (task != task->group_leader) {
		state = zc_task_state(task->group_leader, BPF_LOCAL_STORAGE_GET_F_CREATE);
		if (!state)
			return ZC_NO_MEMORY;
		return zc_observe(task, zc_leaders_account(task->group_leader, state), flags);
	}
	state = zc_task_state(task, 0);
	if (state && state->head.account)
		return zc_observe(task, state->head.account, flags);
	return zc_observe_process(task, 0, flags);
}

static __always_inline int zc_attach(struct task_struct *task)
{
	struct zc_task *state = zc_task_state(task, 0);
	__u32 flags = ZC_TASK_FRESH;
	bool waits;

	if (zc_observed(task) || (task->flags & PF_EXITING) || !zc_matches(task))
		return 0;
	if (state && state->head.flags & ZC_TASK_ARMED)
		return 0;
	waits = zc_waits_in_call(task);
	if (task->on_cpu)
		flags |= ZC_TASK_RUNNING;
	switch (zc_attach_task(task, flags)) {
	case ZC_OBSERVED:
		walk_observed++;
		if (waits)
			__sync_fetch_and_add(&in_flight_at_start, 1);
		return 0;
	case ZC_NO_MEMORY:
		walk_failed++;
		return 0;
	case ZC_NO_ACCOUNT:
		walk_no_account++;
		return 0;
	default:
		return 0;
	}
}

struct zc_row_writer {
	struct seq_file *seq;
	struct zc_task *state;
};

static long zc_write_row(__u32 slot, struct zc_row_writer *out)
{
	struct zc_key *key = zc_task_key(out->state, slot);
	struct zc_row *row = zc_task_row(out->state, slot);

	if (!key || !row)
		return 1;
	bpf_seq_write(out->seq, key, sizeof(*key));
	bpf_seq_write(out->seq, row, sizeof(*row));
	return 0;
}

static __always_inline int zc_write_task(struct seq_file *seq, struct task_struct *task)
{
	struct zc_snapshot_task head = {};
	struct zc_task *state = zc_task_state(task, 0);
	struct zc_row_writer out;

	if (!state || state->head.flags & (ZC_TASK_FOLDED | ZC_TASK_ARMED))
		return 0;
	head.account = state->head.account;
	zc_usage_of(task, &head.usage);
	zc_usage_subtract(&head.usage, &state->head.base);
	if (verifying)
		zc_kernel_counts_since(state, task, &head.counts);
	head.outside = state->head.outside;
	head.compat_calls = state->head.compat_calls;
	head.start_ns = task->start_boottime;
	head.pid = zc_namespace_pid(task->group_leader);
	head.tid = zc_namespace_pid(task);
	head.used = state->head.used;
	head.in_call = zc_in_call(task, state);
	head.flags = state->head.flags;
	bpf_probe_read_kernel(head.name, sizeof(head.name),
			      by_thread ? task->comm : task->group_leader->comm);
	bpf_seq_write(seq, &head, sizeof(head));
	out.seq = seq;
	out.state = state;
	bpf_loop(head.used, zc_write_row, &out, 0);
	return 0;
}

SEC("iter/task")
int zc_walk(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;

	if (!task)
		return 0;
	switch (walk) {
	case ZC_WALK_ARM:
		return zc_begin(task, ZC_TASK_ARMED);
	case ZC_WALK_OBSERVE:
		return zc_begin(task, ZC_TASK_FRESH);
	case ZC_WALK_ATTACH:
		return zc_attach(task);
	default:
		return zc_write_task(ctx->meta->seq, task);
	}
}
