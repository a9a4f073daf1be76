// SPDX-License-Identifier: GPL-2.0
/* The task walk: one pass over all tasks, to start observing some or to read their state. */
#include "accounts.bpf.h"
#include "bpf/calls/calls.bpf.h"
#include "targets.bpf.h"

/* What the walk does; user space sets it before it reads the iterator. */
__u32 walk = ZC_WALK_SNAPSHOT;
/* The process or thread to observe, in zctrace's namespace. */
__u32 armed_pid = 0;

/* CLOCK_BOOTTIME when it began. */
static __u64 walk_begin_ns = 0;

/* Tasks that walks started observing, ever. */
__u64 walk_observed = 0;
/*
 * Those of them that existed when their walk began, so an earlier walk may have missed others. The
 * children of a task that is observed already may be met before the programs follow them.
 */
__u64 walk_found = 0;
/* Tasks for which there was no memory; the next walk may find some. */
__u64 walk_failed = 0;
/* Tasks for which there was no space for an account. */
__u64 walk_no_account = 0;

/* Whether it is in a call and off its CPU. The saved registers of a running task are stale. */
static __always_inline bool zc_waits_in_call(struct task_struct *task)
{
	return !task->on_cpu && !(task->flags & PF_IO_WORKER) &&
	       zc_regs_call((struct pt_regs *)bpf_task_pt_regs(task)) >= 0;
}

static __always_inline bool zc_in_call(struct task_struct *task, const struct zc_task *state)
{
	if (state->head.call >= 0)
		return true;
	/* No program saw the entry: there is none, or the entry came before attaching. */
	return (!config.latency || state->head.flags & ZC_TASK_FRESH) && zc_waits_in_call(task);
}

/* `flags`: ZC_TASK_ARMED observes from the next exec on, ZC_TASK_FRESH from now on. */
static __always_inline int zc_begin(struct task_struct *task, __u32 flags)
{
	/* The number names one task: the leader of a process, or one thread. */
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
	struct task_struct *leader = zc_leader_of(task);
	__u32 pid = zc_namespace_pid(leader);

	if (pid == config.own_pid)
		return false;
	if (bpf_map_lookup_elem(&wanted_pids, &pid))
		return zc_may_be_target(zc_address(task));
	if (config.follow_children && zc_observed_tid(BPF_CORE_READ(task, real_parent, pid)))
		return true;
	if (!pid || !zc_finds_targets())
		return false;
	/* A thread may have a name of its own. */
	if (zc_wanted(zc_address(leader)))
		return true;
	/* A threaded cgroup may hold some of the threads of a process that is elsewhere. */
	return config.wanted_cgroups && task != leader &&
	       zc_may_be_target(zc_address(task)) && zc_in_wanted_cgroup(zc_address(task));
}

/*
 * The account for a thread that zctrace attaches to; 0: no space. The state of its leader
 * holds it, and gets it first, even if the leader has exited and other threads go on.
 */
static __always_inline __u64 zc_leaders_account(struct task_struct *leader, struct zc_task *state)
{
	/* If the leader is not a target, its account ends with the last thread that is one. */
	if (state->head.account && bpf_map_lookup_elem(&accounts, &state->head.account))
		return state->head.account;
	/* Nothing that the leader does counts until the walk reaches it. */
	state->head.flags = ZC_TASK_FOLDED;
	state->head.call = -1;
	state->head.account = zc_account_open(leader, 0, zc_share_of(zc_address(leader)));
	return state->head.account;
}

static __always_inline enum zc_observing zc_attach_task(struct task_struct *task, __u32 flags)
{
	struct task_struct *leader;
	struct zc_task *state;

	if (config.by_thread)
		return zc_observe_process(task, 0, flags);
	if (task != zc_leader_of(task)) {
		leader = task->group_leader;
		state = zc_task_state(leader, BPF_LOCAL_STORAGE_GET_F_CREATE);
		if (!state)
			return ZC_NO_MEMORY;
		return zc_observe(task, zc_leaders_account(leader, state), flags);
	}
	state = zc_task_state(task, 0);
	if (state && state->head.account)
		return zc_observe(task, state->head.account, flags);
	return zc_observe_process(task, 0, flags);
}

/*
 * A task may make its last switch while the walk attaches to it: after the walk has looked at
 * PF_EXITING, and before the programs can know that the task is observed. Then no program
 * sees it end, so it ends here. A dead task leaves its CPU only once, after its last switch.
 */
static __always_inline void zc_end_unseen(struct task_struct *task)
{
	bool dead = task->__state == TASK_DEAD;
	struct zc_account *account;
	struct zc_task *state;

	/* The order matters: it is on its CPU until it is dead. */
	zc_full_barrier();
	if (!dead || task->on_cpu || BPF_CORE_READ(task, signal, group_exec_task) ||
	    !zc_observed_take(task->pid))
		return;
	state = zc_task_state(task, 0);
	if (!state)
		return;
	account = bpf_map_lookup_elem(&accounts, &state->head.account);
	if (!account)
		return;
	if (!(state->head.flags & ZC_TASK_FOLDED)) {
		state->head.flags |= ZC_TASK_FOLDED;
		account->end_ns = bpf_ktime_get_boot_ns();
		__sync_fetch_and_add(&account->folded, 1);
	}
	__sync_fetch_and_add(&account->dead, 1);
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
		if (task->start_boottime < walk_begin_ns)
			walk_found++;
		zc_end_unseen(task);
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
	struct zc_run *run;

	if (!key || !row)
		return 1;
	bpf_seq_write(out->seq, key, sizeof(*key));
	bpf_seq_write(out->seq, row, sizeof(*row));
	if (config.channels) {
		/* After the row: what the row gains meanwhile may belong to other channels. */
		run = zc_task_run(out->state, slot);
		if (!run)
			return 1;
		bpf_seq_write(out->seq, run, sizeof(*run));
	}
	return 0;
}

/*
 * Between two slices no program sees calls return. What a call in flight has noted must not be
 * taken for a later call's. While the window is closed, no other program writes it.
 */
static __always_inline void zc_forget_call(struct zc_task *state)
{
	if (window_open)
		return;
	state->head.call = -1;
	state->head.pipes = 0;
	state->head.messages = 0;
	state->head.message_bytes = 0;
	state->head.copied = 0;
	state->head.restartable = 0;
	state->head.flags &= ~(ZC_TASK_COMPAT | ZC_TASK_DIRECT | ZC_TASK_SENT_PAGES |
			       ZC_TASK_SENT_COPIES);
}

/*
 * Not inline: its record takes half of the 512 bytes of stack that zc_walk() and what it calls may
 * have, and zc_attach() with its patterns the other half.
 */
static __noinline int zc_write_task(struct seq_file *seq, struct task_struct *task)
{
	struct zc_snapshot_task head = {};
	struct zc_task *state = zc_task_state(task, 0);
	struct zc_row_writer out;
	__u64 named;

	if (!state || state->head.flags & (ZC_TASK_FOLDED | ZC_TASK_ARMED))
		return 0;
	head.account = state->head.account;
	zc_usage_of(task, &head.usage);
	zc_usage_subtract(&head.usage, &state->head.base);
	if (config.verify)
		zc_kernel_counts_since(state, task, &head.counts);
	head.outside = state->head.outside;
	head.taken = state->head.taken;
	head.put = state->head.put;
	head.compat_calls = state->head.compat_calls;
	head.start_ns = task->start_boottime;
	head.pid = zc_namespace_pid(zc_leader_of(task));
	head.tid = zc_namespace_pid(task);
	head.used = state->head.used;
	head.in_call = zc_in_call(task, state);
	head.flags = state->head.flags;
	named = config.by_thread ? zc_address(task) : zc_address(zc_leader_of(task));
	bpf_probe_read_kernel(head.name, sizeof(head.name),
			      (void *)named + bpf_core_field_offset(task->comm));
	bpf_seq_write(seq, &head, sizeof(head));
	out.seq = seq;
	out.state = state;
	bpf_loop(head.used, zc_write_row, &out, 0);
	if (config.sliced)
		zc_forget_call(state);
	return 0;
}

SEC("zc_iter/task")
int zc_walk(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;

	if (!ctx->meta->seq_num)
		walk_begin_ns = bpf_ktime_get_boot_ns();
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
