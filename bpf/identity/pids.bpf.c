// SPDX-License-Identifier: GPL-2.0
/* A task's number in zctrace's PID namespace, and the share that it belongs to. */
#include "pids.bpf.h"

#include "namespaces.bpf.h"

__u32 zc_namespace_pid_at(__u64 address)
{
	struct task_struct *task = (void *)address;

	return zc_number_in(BPF_CORE_READ(task, thread_pid), config.pid_namespace_inum);
}

__u32 zc_pid_number(__u64 address)
{
	return zc_number_in((struct pid *)address, config.pid_namespace_inum);
}

#define ZC_SHARE_CGROUP_LEVEL 2

static __always_inline __u32 zc_user_of(struct task_struct *task)
{
	const struct cred *cred = BPF_CORE_READ(task, real_cred);

	return zc_outer_user(BPF_CORE_READ(cred, user_ns), BPF_CORE_READ(cred, uid.val));
}

__u32 zc_share_of(__u64 address)
{
	struct task_struct *task = (void *)address;
	struct cgroup *cgroup = BPF_CORE_READ(task, cgroups, dfl_cgrp), *ancestor = 0;
	__u32 level = BPF_CORE_READ(cgroup, level);

	if (level > ZC_SHARE_CGROUP_LEVEL)
		level = ZC_SHARE_CGROUP_LEVEL;
	bpf_probe_read_kernel(&ancestor, sizeof(ancestor),
			      (void *)cgroup + bpf_core_field_offset(struct cgroup, ancestors) +
			      level * sizeof(ancestor));
	return zc_share_from(BPF_CORE_READ(ancestor, kn, id) << 32 | zc_user_of(task));
}
