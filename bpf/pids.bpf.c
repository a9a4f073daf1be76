// SPDX-License-Identifier: GPL-2.0
/* Finds the number of a task in zctrace's PID namespace. */
#include "pids.bpf.h"

#define ZC_MAX_PID_LEVELS 32

__u32 zc_namespace_pid_at(__u64 address)
{
	struct task_struct *task = (void *)address;
	struct pid *pid = BPF_CORE_READ(task, thread_pid);
	__u32 level = BPF_CORE_READ(pid, level);
	struct upid upid;

	for (__u32 i = 0; i < ZC_MAX_PID_LEVELS && i <= level; i++) {
		if (bpf_probe_read_kernel(&upid, sizeof(upid), (void *)pid +
					  bpf_core_field_offset(struct pid, numbers) +
					  i * sizeof(upid)))
			return BPF_CORE_READ(task, pid);
		if (BPF_CORE_READ(upid.ns, ns.inum) == config.pid_namespace_inum)
			return upid.nr;
	}
	return 0;
}
