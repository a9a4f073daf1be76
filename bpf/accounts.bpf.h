/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How a task starts being observed: its account and its state. Inline, because Linux 6.1
 * does not let a global function take a task; accounts.bpf.c has the counters.
 */
#ifndef ZC_ACCOUNTS_H
#define ZC_ACCOUNTS_H

#include "kernel_counts.bpf.h"
#include "identity/pids.bpf.h"

#define PF_EXITING 0x4
#define PF_IO_WORKER 0x10
#define CLONE_THREAD 0x10000

extern __u64 accounts_made;
/* Tasks that were given a state; counted only with config.task_limit. */
extern __u64 tasks_made;
/* Set when user space should start a walk to find tasks to attach to. */
extern __u32 walk_wanted;

/*
 * `index`: zc_share_of() the task. 0: no space. Not inlined: Linux 6.1 allows a program and
 * the functions it calls 512 bytes of stack in all, and zc_exec also calls zc_wanted_path().
 */
static __noinline __attribute__((unused)) __u64 zc_account_open(struct task_struct *task,
								__u64 parent, __u32 index)
{
	static const struct zc_folded_counts no_counts;
	struct zc_account account = {};
	struct task_struct *leader = zc_leader_of(task);
	struct zc_share *share = zc_share_at(index);

	if (share->accounts >= config.most.accounts)
		return 0;
	account.id = __sync_fetch_and_add(&accounts_made, 1) + 1;
	account.parent = parent;
	account.share = index;
	account.start_ns = task->start_boottime;
	account.process_start_ns = BPF_CORE_READ(leader, start_boottime);
	account.pid = zc_namespace_pid(leader);
	account.tid = config.by_thread ? zc_namespace_pid(task) : 0;
	account.parent_pid = zc_namespace_pid(BPF_CORE_READ(leader, real_parent, group_leader));
	account.global_pid = task->tgid;
	bpf_probe_read_kernel(account.name, sizeof(account.name), task->comm);
	if (bpf_map_update_elem(&accounts, &account.id, &account, BPF_NOEXIST))
		return 0;
	__sync_fetch_and_add(&share->accounts, 1);
	/* If there is no space, the account is not compared; no count is lost. */
	if (config.verify)
		bpf_map_update_elem(&kernel_counts, &account.id, &no_counts, BPF_NOEXIST);
	return account.id;
}

enum zc_observing {
	ZC_NO_MEMORY,		/* for the task's state; the caller counts it */
	ZC_NO_ACCOUNT,		/* no space for its process; the caller counts it */
	ZC_OBSERVED,
	ZC_OBSERVED_ALREADY,	/* a program on another CPU was faster */
};

/*
 * Gives `task` a state of its own in an account. The task walk and task_newtask may
 * meet a new thread at the same time; the first to write its number wins.
 */
static __always_inline enum zc_observing zc_observe(struct task_struct *task, __u64 account_id,
						    __u32 flags)
{
	struct zc_account *account = bpf_map_lookup_elem(&accounts, &account_id);
	struct zc_task *state;

	if (!account)
		return ZC_NO_ACCOUNT;
	if (config.task_limit && __sync_fetch_and_add(&tasks_made, 1) >= config.task_limit)
		return ZC_NO_MEMORY;
	state = zc_task_state(task, BPF_LOCAL_STORAGE_GET_F_CREATE);
	/* Creating also fails if the other program has just done it. */
	if (!state)
		state = zc_task_state(task, 0);
	if (!state)
		return ZC_NO_MEMORY;
	if (__sync_val_compare_and_swap(&state->head.tid, 0, task->pid))
		return ZC_OBSERVED_ALREADY;
	state->head.account = account_id;
	state->head.call = -1;
	state->head.lent_slot = ZC_NO_SLOT;
	state->head.nvcsw = task->nvcsw;
	state->head.flags = flags;
	if (task->flags & PF_IO_WORKER)
		state->head.flags |= ZC_TASK_WORKER;
	zc_usage_of(task, &state->head.base);
	zc_verify_from_here(state, task);
	__sync_fetch_and_add(&account->started, 1);
	/* Last, because the other programs check only this. */
	if (!(flags & ZC_TASK_ARMED))
		zc_observed_set(task->pid);
	return ZC_OBSERVED;
}

/* The same in an account of its own. */
static __always_inline enum zc_observing zc_observe_process(struct task_struct *task,
							    __u64 parent, __u32 flags)
{
	__u64 account = zc_account_open(task, parent, zc_share_of(zc_address(task)));
	enum zc_observing result;
	struct zc_account *made;

	if (!account)
		return ZC_NO_ACCOUNT;
	result = zc_observe(task, account, flags);
	if (result != ZC_OBSERVED) {
		made = bpf_map_lookup_elem(&accounts, &account);
		if (made)
			__sync_fetch_and_sub(&zc_share_at(made->share)->accounts, 1);
		bpf_map_delete_elem(&accounts, &account);
		if (config.verify)
			bpf_map_delete_elem(&kernel_counts, &account);
	}
	return result;
}

/*
 * The kernel keeps memory for a few tasks ready on each CPU and refills it in an
 * interrupt, so a burst may find none. The task is lost until the next walk.
 */
static __always_inline void zc_lose_task(enum zc_observing why)
{
	zc_lose(why == ZC_NO_ACCOUNT ? ZC_LOST_ACCOUNTS_FULL : ZC_LOST_TASK_MEMORY, 1);
	walk_wanted = 1;
}

/* Whether the task is not observed because there is no space for it. */
static __always_inline bool zc_refused(enum zc_observing result)
{
	return result == ZC_NO_MEMORY || result == ZC_NO_ACCOUNT;
}

#endif
