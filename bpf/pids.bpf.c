// SPDX-License-Identifier: GPL-2.0
/* A task's number in zctrace's PID namespace, and the share that it belongs to. */
#include "pids.bpf.h"

#define ZC_MAX_PID_LEVELS 32

/* 0: it has no number in zctrace's namespace. */
static __always_inline __u32 zc_number_of(struct pid *pid)
{
	__u32 level = BPF_CORE_READ(pid, level);
	struct upid upid;

	for (__u32 i = 0; i < ZC_MAX_PID_LEVELS && i <= level; i++) {
		if (bpf_probe_read_kernel(&upid, sizeof(upid), (void *)pid +
					  bpf_core_field_offset(struct pid, numbers) +
					  i * sizeof(upid)))
			return 0;
		if (BPF_CORE_READ(upid.ns, ns.inum) == config.pid_namespace_inum)
			return upid.nr;
	}
	return 0;
}

__u32 zc_namespace_pid_at(__u64 address)
{
	struct task_struct *task = (void *)address;

	return zc_number_of(BPF_CORE_READ(task, thread_pid));
}

__u32 zc_pid_number(__u64 address)
{
	return zc_number_of((struct pid *)address);
}

/* The kernel allows 32 levels. */
#define ZC_MAX_USER_LEVELS 33
#define ZC_SHARE_CGROUP_LEVEL 2

/* The user outside of all user namespaces that the task, or its outermost namespace, belongs to. */
static __always_inline __u32 zc_user_of(struct task_struct *task)
{
	const struct cred *cred = BPF_CORE_READ(task, real_cred);
	struct user_namespace *space = BPF_CORE_READ(cred, user_ns);
	__u32 user = BPF_CORE_READ(cred, uid.val);

	for (__u32 i = 0; i < ZC_MAX_USER_LEVELS; i++) {
		if (BPF_CORE_READ(space, level) <= 0)
			return user;
		user = BPF_CORE_READ(space, owner.val);
		space = BPF_CORE_READ(space, parent);
	}
	return user;
}

__u32 zc_share_of(__u64 address)
{
	struct task_struct *task = (void *)address;
	struct cgroup *cgroup = BPF_CORE_READ(task, cgroups, dfl_cgrp), *ancestor = 0;
	__u32 level = BPF_CORE_READ(cgroup, level);
	__u64 mixed;

	if (level > ZC_SHARE_CGROUP_LEVEL)
		level = ZC_SHARE_CGROUP_LEVEL;
	bpf_probe_read_kernel(&ancestor, sizeof(ancestor),
			      (void *)cgroup + bpf_core_field_offset(struct cgroup, ancestors) +
			      level * sizeof(ancestor));
	mixed = BPF_CORE_READ(ancestor, kn, id) << 32 | zc_user_of(task);
	/* Fibonacci hashing. */
	return mixed * 0x9e3779b97f4a7c15ULL >> 52;
}
