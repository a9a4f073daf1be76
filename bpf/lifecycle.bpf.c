// SPDX-License-Identifier: GPL-2.0
/* Fork, exec and exit: children inherit observation, and it ends with the task. */
#include "accounts.bpf.h"
#include "bpf/requests/aio.bpf.h"
#include "clear.bpf.h"
#include "pipes.bpf.h"
#include "rows.bpf.h"
#include "targets.bpf.h"

/*
 * task_newtask comes before the child can run. Unlike sched_process_fork it also comes
 * for the threads that io_uring makes.
 */
SEC("zc_tp_btf/task_newtask")
int BPF_PROG(zc_newtask, struct task_struct *child, __u64 clone_flags)
{
	struct task_struct *parent = bpf_get_current_task_btf();
	bool thread = clone_flags & CLONE_THREAD;
	enum zc_observing observed;
	struct zc_task *state;

	state = zc_task_find(parent);
	if (state && !(state->head.flags & ZC_TASK_FOLDED) && (thread || config.follow_children)) {
		if (thread && !config.by_thread)
			observed = zc_observe(child, state->head.account, 0);
		else
			observed = zc_observe_process(child, state->head.account, 0);
	} else if ((config.want_all || config.wanted_cgroups) && !thread && zc_wanted(zc_address(child))) {
		observed = zc_observe_process(child, 0, 0);
	} else {
		/* The last task with this number may have died where no program saw the switch. */
		if (zc_observed(child))
			zc_observed_clear(child->pid);
		return 0;
	}
	if (zc_refused(observed))
		zc_lose_task(observed);
	return 0;
}

/*
 * A process, or a single thread of it, moves into a cgroup that is a target. Services
 * start this way.
 */
SEC("?zc_tp_btf/cgroup_attach_task")
int BPF_PROG(zc_cgroup_move, struct cgroup *cgroup, const char *path, struct task_struct *task,
	     bool threadgroup)
{
	enum zc_observing observed;

	if (zc_observed(task) || !zc_wanted(zc_address(task)))
		return 0;
	/* The next walk finds the other threads. */
	walk_wanted = 1;
	/* Only the walk gives a thread the account of its process, which may exist already. */
	if (task != zc_leader_of(task) || zc_task_state(task, 0))
		return 0;
	observed = zc_observe_process(task, 0, ZC_TASK_FRESH);
	if (zc_refused(observed))
		zc_lose_task(observed);
	return 0;
}

static __always_inline void zc_note_command(struct task_struct *task, __u64 account)
{
	__u32 only = 0;
	struct zc_command *command = bpf_map_lookup_elem(&new_command, &only);
	__u64 start = BPF_CORE_READ(task, mm, arg_start);
	__u64 bytes = BPF_CORE_READ(task, mm, arg_end) - start;

	if (!command)
		return;
	command->cut = bytes > ZC_COMMAND_BYTES;
	command->bytes = 0;
	barrier_var(bytes);
	if (bytes > ZC_COMMAND_BYTES)
		bytes = ZC_COMMAND_BYTES;
	ZC_CLEAR(command->text);
	/* This exec has just written the new stack. If the page is gone, there is no text. */
	if (!bpf_probe_read_user(command->text, bytes, (void *)start))
		command->bytes = bytes;
	if (bpf_map_update_elem(&commands, &account, command, BPF_ANY))
		zc_lose(ZC_LOST_COMMANDS_FULL, 1);
}

/* A process whose new program makes it a target; the exec is its first call. */
static __always_inline struct zc_task *zc_observe_target(struct task_struct *task,
							   struct linux_binprm *bprm)
{
	enum zc_observing observed;

	if (!zc_wanted(zc_address(task)) &&
	    !(config.wanted_names && zc_may_be_target(zc_address(task)) &&
	      zc_wanted_path(zc_address(bprm->interp))))
		return 0;
	observed = zc_observe_process(task, 0, ZC_TASK_FRESH);
	if (zc_refused(observed)) {
		zc_lose_task(observed);
		return 0;
	}
	return zc_task_state(task, 0);
}

SEC("zc_tp_btf/sched_process_exec")
int BPF_PROG(zc_exec, struct task_struct *task, int old_tid, struct linux_binprm *bprm)
{
	struct zc_task *state = zc_task_state(task, 0);
	struct zc_account *account;

	if (!state && zc_finds_targets())
		state = zc_observe_target(task, bprm);
	/* Folded: a leader that only holds the account of other threads, see zc_walk. */
	if (!state || state->head.flags & ZC_TASK_FOLDED)
		return 0;
	if (state->head.flags & ZC_TASK_ARMED) {
		/* It is observed from here on; the exit of the exec is its first call. */
		state->head.flags = ZC_TASK_FRESH;
		zc_usage_of(task, &state->head.base);
		zc_verify_from_here(state, task);
		state->head.nvcsw = task->nvcsw;
	}
	/*
	 * A thread that was not the leader has taken over the leader's number. The bit of
	 * `old_tid` now belongs to the old leader, which may still be on its way out. If it is
	 * gone, the next task with that number clears it.
	 */
	state->head.tid = task->pid;
	zc_observed_set(task->pid);
	if (aio_used)
		zc_aio_forget_all();
	account = bpf_map_lookup_elem(&accounts, &state->head.account);
	if (!account)
		return 0;
	bpf_probe_read_kernel(account->name, sizeof(account->name), task->comm);
	if (account->tid)
		account->tid = zc_namespace_pid(task);
	account->execs++;
	zc_note_command(task, state->head.account);
	return 0;
}

struct zc_fold_context {
	struct zc_task *task;
	bool last;
};

static long zc_fold_slot(__u32 slot, struct zc_fold_context *ctx)
{
	zc_fold_row(ctx->task, slot, ctx->last);
	return 0;
}

/*
 * Folds the task's rows. zc_sched_switch adds what the task still does, such as
 * releasing its memory and files, to its account.
 */
SEC("zc_tp_btf/sched_process_exit")
int BPF_PROG(zc_exit, struct task_struct *task)
{
	struct zc_task *state = zc_task_state(task, 0);
	struct zc_fold_context fold = { .task = state };
	struct zc_account *account;
	__u64 max_rss;

	if (!state || state->head.flags & ZC_TASK_FOLDED)
		return 0;
	if (aio_used && !BPF_CORE_READ(task, signal, live.counter))
		zc_aio_exit();
	/* From here on the programs write only to the account. */
	state->head.flags |= ZC_TASK_FOLDED;
	account = bpf_map_lookup_elem(&accounts, &state->head.account);
	fold.last = account && account->folded + 1 >= account->started;
	bpf_loop(state->head.used, zc_fold_slot, &fold, 0);
	zc_pipe_fold_runs(state);
	if (!account)
		return 0;
	__sync_fetch_and_add(&account->outside.voluntary, state->head.outside.voluntary);
	__sync_fetch_and_add(&account->outside.involuntary, state->head.outside.involuntary);
	/* A call that never returns has no time: its time off the CPU counts as outside. */
	__sync_fetch_and_add(&account->outside.off_cpu_ns,
			     state->head.outside.off_cpu_ns + state->head.call_off_cpu_ns);
	__sync_fetch_and_add(&account->compat_calls, state->head.compat_calls);
	max_rss = BPF_CORE_READ(task, signal, maxrss);
	if (max_rss > account->max_rss_pages)
		account->max_rss_pages = max_rss;
	if (task == zc_leader_of(task) || config.by_thread) {
		bpf_probe_read_kernel(account->name, sizeof(account->name), task->comm);
		account->exit_code = task->exit_code;
	}
	/* As wait(2) reports it, even if the leader left first, by pthread_exit(). */
	if (!config.by_thread && BPF_CORE_READ(task, signal, flags) & SIGNAL_GROUP_EXIT)
		account->exit_code = BPF_CORE_READ(task, signal, group_exit_code);
	account->end_ns = bpf_ktime_get_boot_ns();
	__sync_fetch_and_add(&account->folded, 1);
	return 0;
}
