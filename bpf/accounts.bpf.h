/* SPDX-License-Identifier: GPL-2.0 */
/* Beginning to observe: a task's account and its state. */
#ifndef ZC_ACCOUNTS_H
#define ZC_ACCOUNTS_H

#include "verify.bpf.h"

#define PF_EXITING 0x4
#define PF_IO_WORKER 0x10
#define CLONE_THREAD 0x10000

extern __u64 accounts_made;
/* Tasks that were given a state; counted only where there is a limit. */
extern __u64 tasks_made;
extern const struct zc_folded_counts no_counts;
/* Set when user space should look again for tasks to attach to. */
extern __u32 walk_wanted;

/*
 * A task's number in zctrace's pid namespace; 0 where it has none there, as for
 * getppid. Takes the pointer as a number: callers hold pointers of several kinds,
 * and the verifier wants one kind for each load.
 */
__u32 zc_namespace_pid_at(__u64 address);

static __always_inline __u32 zc_namespace_pid(const struct task_struct *task)
{
	return zc_namespace_pid_at(zc_address(task));
}

/*
 * 0: no room. A function of its own: 6.1 adds the stacks of a program and of what it
 * calls, up to 512 bytes, and zc_exec also calls zc_wanted_path.
 */
static __noinline __attribute__((unused)) __u64 zc_account_open(struct task_struct *task,
								__u64 parent)
{
	struct zc_account account = {};
	struct task_struct *leader = task->group_leader;

	account.id = __sync_fetch_and_add(&accounts_made, 1) + 1;
	account.parent = parent;
	account.start_ns = task->start_boottime;
	account.pid = zc_namespace_pid(leader);
	account.tid = by_thread ? zc_namespace_pid(task) : 0;
	account.parent_pid = zc_namespace_pid(leader->real_parent->group_leader);
	account.global_pid = task->tgid;
	bpf_probe_read_kernel(account.name, sizeof(account.name), task->comm);
	if (bpf_map_update_elem(&accounts, &account.id, &account, BPF_NOEXIST))
		return 0;
	/* Where there is no room for it, nothing is compared; no count is lost. */
	if (verifying)
		bpf_map_update_elem(&kernel_counts, &account.id, &no_counts, BPF_NOEXIST);
	return account.id;
}

enum zc_observing {
	ZC_NO_MEMORY,		/* for the task's state; the caller counts it */
	ZC_NO_ACCOUNT,		/* no room for its process; the caller counts it */
	ZC_OBSERVED,
	ZC_OBSERVED_ALREADY,	/* by a program on another CPU, just now */
};

/*
 * Gives `task` a state of its own in an account. The walk over all tasks and
 * task_newtask may meet a new thread at the same time; who is first to write its
 * number has it.
 */
static __always_inline enum zc_observing zc_observe(struct task_struct *task, __u64 account_id,
						    __u32 flags)
{
	struct zc_account *account = bpf_map_lookup_elem(&accounts, &account_id);
	struct zc_task *state;

	if (!account)
		return ZC_NO_ACCOUNT;
	if (task_limit && __sync_fetch_and_add(&tasks_made, 1) >= task_limit)
		return ZC_NO_MEMORY;
	state = zc_task_state(task, BPF_LOCAL_STORAGE_GET_F_CREATE);
	/* Creating fails, too, where the other one has just done so. */
	if (!state)
		state = zc_task_state(task, 0);
	if (!state)
		return ZC_NO_MEMORY;
	if (__sync_val_compare_and_swap(&state->head.tid, 0, task->pid))
		return ZC_OBSERVED_ALREADY;
	state->head.account = account_id;
	state->head.call = -1;
	state->head.nvcsw = task->nvcsw;
	state->head.flags = flags;
	if (task->flags & PF_IO_WORKER)
		state->head.flags |= ZC_TASK_WORKER;
	zc_usage_of(task, &state->head.base);
	zc_verify_from_here(state, task);
	__sync_fetch_and_add(&account->started, 1);
	/* Last: the other programs look at nothing else. */
	if (!(flags & ZC_TASK_ARMED))
		zc_observed_set(task->pid);
	return ZC_OBSERVED;
}

/* The same in an account of its own. */
static __always_inline enum zc_observing zc_observe_process(struct task_struct *task,
							    __u64 parent, __u32 flags)
{
	__u64 account = zc_account_open(task, parent);
	enum zc_observing result;

	if (!account)
		return ZC_NO_ACCOUNT;
	result = zc_observe(task, account, flags);
	if (result != ZC_OBSERVED) {
		bpf_map_delete_elem(&accounts, &account);
		if (verifying)
			bpf_map_delete_elem(&kernel_counts, &account);
	}
	return result;
}

/*
 * Storage for a few tasks is kept ready on each CPU and made anew by an interrupt;
 * a burst may find none. What is missed is lost until user space looks again.
 */
static __always_inline void zc_lose_task(enum zc_observing why)
{
	zc_lose(why == ZC_NO_ACCOUNT ? ZC_LOST_ACCOUNTS_FULL : ZC_LOST_TASK_MEMORY, 1);
	walk_wanted = 1;
}

/* Whether the task is not observed for want of room. */
static __always_inline bool zc_refused(enum zc_observing result)
{
	return result == ZC_NO_MEMORY || result == ZC_NO_ACCOUNT;
}

#endif
