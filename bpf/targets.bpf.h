/* SPDX-License-Identifier: GPL-2.0 */
/* Who is to be observed without being a descendant of somebody who is. */
#ifndef ZC_TARGETS_H
#define ZC_TARGETS_H

#include "accounts.bpf.h"

#define PF_KTHREAD 0x00200000

/* Read-only data, set by the collector before loading. */
extern const volatile bool want_all;
extern const volatile __u32 wanted_cgroups;
extern const volatile __u32 wanted_names;
extern const volatile __u32 own_pid;

/* Whether any program but the walk must look for newcomers. */
static __always_inline bool zc_wants_newcomers(void)
{
	return want_all || wanted_cgroups || wanted_names;
}

/*
 * Whether the struct task_struct at `address` matches -a, a cgroup, or by its
 * comm a name; zctrace itself and kernel threads never do. A function of its
 * own for the verifier's sake, as in kinds.bpf.h.
 */
__u32 zc_wanted(__u64 address);

/* The same for the base name of the path at `address`. */
__u32 zc_wanted_path(__u64 address);

#endif
