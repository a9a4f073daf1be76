/* SPDX-License-Identifier: GPL-2.0 */
/* PIDs as zctrace's own PID namespace numbers them. */
#ifndef ZC_PIDS_H
#define ZC_PIDS_H

#include "bpf/tasks.bpf.h"

/*
 * 0: the task has no number there, as with getppid(). Takes the pointer as a number:
 * callers hold pointers of several types, and the verifier requires one type for each load.
 */
__u32 zc_namespace_pid_at(__u64 address);

/* The same for the struct pid at `address`. */
__u32 zc_pid_number(__u64 address);

static __always_inline __u32 zc_namespace_pid(const struct task_struct *task)
{
	return zc_namespace_pid_at(zc_address(task));
}

/*
 * The share of the struct task_struct at `address`: that of its user and of its cgroup at the
 * level of services and containers. An ordinary user can make other users only in user
 * namespaces, where the owner counts, and cgroups only below that level.
 */
__u32 zc_share_of(__u64 address);

#endif
