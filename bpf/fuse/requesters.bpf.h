/* SPDX-License-Identifier: GPL-2.0 */
/* Which process a request is for. */
#ifndef ZC_FUSE_REQUESTERS_H
#define ZC_FUSE_REQUESTERS_H

#include "connections.bpf.h"

/* Since 6.2, so that every kernel with the tracepoints has them. */
extern struct task_struct *bpf_task_from_pid(__s32 pid) __ksym;
extern void bpf_task_release(struct task_struct *task) __ksym;

/* `task` is not used if the key is special. Returns whether there was space. */
static __always_inline bool count_sent(const struct zc_fuse_requester_key *key,
				       struct task_struct *task, __u32 share)
{
	struct zc_fuse_requester *found = bpf_map_lookup_elem(&requesters, key), *made;
	__u32 zero = 0;

	if (found) {
		zc_add(found->sent, 1);
		return true;
	}
	made = bpf_map_lookup_elem(&new_requester, &zero);
	if (!made)
		return false;
	made->sent = 1;
	made->share = share;
	made->pid = 0;
	__builtin_memset(made->name, 0, sizeof(made->name));
	if (key->process) {
		struct task_struct *leader = BPF_CORE_READ(task, group_leader);

		made->pid = zc_number_in(BPF_CORE_READ(leader, thread_pid), config.pid_namespace);
		BPF_CORE_READ_STR_INTO(&made->name, leader, comm);
		if (!zc_take(share_at(share), requesters, config.most_requesters))
			return false;
	}
	if (!bpf_map_update_elem(&requesters, key, made, BPF_NOEXIST))
		return true;
	if (key->process)
		zc_add(share_at(share)->requesters, -1);
	found = bpf_map_lookup_elem(&requesters, key);
	if (!found)
		return false;
	zc_add(found->sent, 1);
	return true;
}

static __always_inline void count_special(struct zc_fuse_flight *flight,
					  enum zc_fuse_special special)
{
	flight->by.process = 0;
	flight->by.start_ns = special;
	count_sent(&flight->by, 0, flight->share);
}

static __always_inline void count_task(struct zc_fuse_flight *flight, struct task_struct *task)
{
	struct task_struct *leader = BPF_CORE_READ(task, group_leader);

	if (BPF_CORE_READ(task, flags) & PF_KTHREAD) {
		count_special(flight, ZC_FUSE_BY_KERNEL);
		return;
	}
	flight->by.process = BPF_CORE_READ(task, tgid);
	flight->by.start_ns = BPF_CORE_READ(leader, start_boottime);
	flight->pid = zc_number_in(BPF_CORE_READ(leader, thread_pid), config.pid_namespace);
	flight->tid = zc_number_in(BPF_CORE_READ(task, thread_pid), config.pid_namespace);
	if (count_sent(&flight->by, task, flight->share))
		return;
	zc_lose(ZC_FUSE_LOST_REQUESTERS);
	count_special(flight, ZC_FUSE_BY_OTHERS);
}

/*
 * A request that a process waits for is sent by that process. Others are sent by whichever task
 * makes room for them, often the server while it answers: their header says which thread caused
 * them, in the PID namespace of the server. It says 0 if the kernel sends it on its own account:
 * pages written back, files released. Then the task that sends it caused it (close, fsync), unless
 * that is the server, or a thread of the kernel.
 */
static __always_inline void find_requester(struct zc_fuse_flight *flight,
					   const struct zc_fuse_connection *connection,
					   const struct fuse_req *req)
{
	struct task_struct *current = bpf_get_current_task_btf(), *cause;
	struct pid_namespace *namespace = req->fm->fc->pid_ns;
	__u32 thread = req->in.h.pid, inum = namespace->ns.inum;

	flight->by.connection = connection->id;
	if (!flight->background) {
		count_task(flight, current);
	} else if (!thread) {
		if ((__u32)current->tgid == connection->server)
			count_special(flight, ZC_FUSE_BY_KERNEL);
		else
			count_task(flight, current);
	} else if (zc_number_in(current->thread_pid, inum) == thread) {
		count_task(flight, current);
	} else {
		cause = inum == ZC_FIRST_PID_NAMESPACE ? bpf_task_from_pid(thread) : 0;
		if (!cause) {
			count_special(flight, ZC_FUSE_BY_UNKNOWN);
			return;
		}
		count_task(flight, cause);
		bpf_task_release(cause);
	}
}

/* The request is counted without its process after all. */
static __always_inline void forget_sent(const struct zc_fuse_requester_key *key)
{
	struct zc_fuse_requester *requester = bpf_map_lookup_elem(&requesters, key);

	if (requester)
		zc_add(requester->sent, -1);
}

#endif
