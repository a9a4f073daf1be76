// SPDX-License-Identifier: GPL-2.0
/* One pass over all tasks: to begin observing, or to read what is observed. */
#include "accounts.bpf.h"
#include "calls.bpf.h"

/* What the pass is to do; written by user space before it reads the iterator. */
__u32 walk = ZC_WALK_SNAPSHOT;
/* The process to begin with, in zctrace's namespace. */
__u32 armed_pid = 0;
/* Tasks that began to be observed in a pass, ever. */
__u64 walk_observed = 0;

static __always_inline bool zc_in_call(struct task_struct *task, const struct zc_task *state)
{
	if (with_latency || state->head.flags & ZC_TASK_WORKER)
		return state->head.call >= 0;
	return zc_regs_call((struct pt_regs *)bpf_task_pt_regs(task)) >= 0;
}

/* ARMED: from its next exec on; FRESH: from now on. */
static __always_inline int zc_begin(struct task_struct *task, __u32 flags)
{
	__u64 account;

	if (task != task->group_leader || zc_namespace_pid(task) != armed_pid)
		return 0;
	account = zc_account_open(task, 0);
	if (account && zc_observe(task, account, flags))
		walk_observed++;
	return 0;
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
	default:
		return zc_write_task(ctx->meta->seq, task);
	}
}
