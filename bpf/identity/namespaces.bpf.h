/* SPDX-License-Identifier: GPL-2.0 */
/* What PIDs and users are outside of the namespaces of a task. */
#ifndef ZC_NAMESPACES_H
#define ZC_NAMESPACES_H

#include "bpf/kernel_types.bpf.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#define ZC_MAX_PID_LEVELS 32
/* The kernel allows 32 levels. */
#define ZC_MAX_USER_LEVELS 33

/*
 * In the PID namespace with the number `namespace`. 0: it has none there. Not by bpf_loop(): with
 * zc_name() in a switch there is no space for one more stack frame, which is 32 bytes on Linux 6.1.
 */
static __always_inline __u32 zc_number_in(struct pid *pid, __u32 namespace)
{
	__u32 level = BPF_CORE_READ(pid, level);
	struct upid upid;

	for (__u32 i = 0; i < ZC_MAX_PID_LEVELS && i <= level; i++) {
		if (bpf_probe_read_kernel(&upid, sizeof(upid), (void *)pid +
					  bpf_core_field_offset(struct pid, numbers) +
					  i * sizeof(upid)))
			return 0;
		if (BPF_CORE_READ(upid.ns, ns.inum) == namespace)
			return upid.nr;
	}
	return 0;
}

struct zc_user_search {
	__u64 space;	/* the address of a struct user_namespace */
	__u32 user;
};

static __attribute__((unused)) long zc_leave_user_level(__u32 level, struct zc_user_search *search)
{
	struct user_namespace *space = (void *)search->space;

	if (BPF_CORE_READ(space, level) <= 0)
		return 1;
	search->user = BPF_CORE_READ(space, owner.val);
	search->space = (__u64)BPF_CORE_READ(space, parent);
	return 0;
}

/*
 * The user outside of all user namespaces that `user`, a kernel's number of a user in `space`, or
 * its outermost namespace, belongs to.
 */
static __always_inline __u32 zc_outer_user(struct user_namespace *space, __u32 user)
{
	struct zc_user_search search = { .space = (__u64)space, .user = user };

	bpf_loop(ZC_MAX_USER_LEVELS, zc_leave_user_level, &search, 0);
	return search.user;
}

/* One of ZC_SHARES: Fibonacci hashing. */
static __always_inline __u32 zc_share_from(__u64 mixed)
{
	return mixed * 0x9e3779b97f4a7c15ULL >> 52;
}

#endif
