/* SPDX-License-Identifier: GPL-2.0 */
/* Which tasks to observe besides the descendants of observed tasks. */
#ifndef ZC_TARGETS_H
#define ZC_TARGETS_H

#include "identity/pids.bpf.h"

#define PF_KTHREAD 0x00200000

/* Cgroups to observe, with those below them: inode numbers of their directories. */
extern __u64 cgroup_targets[ZC_MAX_CGROUPS];

/* Whether programs other than the walk must look for targets, too. */
static __always_inline bool zc_finds_targets(void)
{
	return config.want_all || config.wanted_cgroups || config.wanted_names;
}

/*
 * Whether the task at `address` can be a target at all: it is in zctrace's PID namespace, is
 * not zctrace or a helper of it, and belongs to a user that zctrace may observe.
 */
__u32 zc_may_be_target(__u64 address);

/*
 * Whether the struct task_struct at `address` is a target: by -a, by its cgroup, or
 * because its comm matches a name. zctrace itself and kernel threads never are. A
 * global function as in kinds.bpf.h.
 */
__u32 zc_wanted(__u64 address);

/* The same for the base name of the path at `address`. */
__u32 zc_wanted_path(__u64 address);

/* Whether the cgroup of the task at `address`, or one above it, is a target. */
__u32 zc_in_wanted_cgroup(__u64 address);

#endif
