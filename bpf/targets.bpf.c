// SPDX-License-Identifier: GPL-2.0
/* Matches tasks against cgroups and name patterns. */
#include "targets.bpf.h"

/* Not read-only: a service that is restarted gets a new cgroup. */
__u64 cgroup_targets[ZC_MAX_CGROUPS] = {};

/* The state of a greedy match of '*' and '?'. */
struct zc_glob {
	char text[ZC_PATTERN_BYTES];
	__u32 name;		/* index of the pattern */
	__u32 at;		/* in the text */
	__u32 pattern_at;
	__u32 star_at;		/* where the latest '*' began to match */
	__u32 star_pattern;	/* index after it; 0: there was none */
	__u32 matched;
};

static __always_inline char zc_pattern_char(__u32 name, __u32 at)
{
	return config.name_targets[name % ZC_MAX_NAMES].pattern[at % ZC_PATTERN_BYTES];
}

static long zc_glob_step(__u32 step, struct zc_glob *glob)
{
	char want = zc_pattern_char(glob->name, glob->pattern_at);
	char have = glob->text[glob->at % ZC_PATTERN_BYTES];

	if (want == '*') {
		glob->star_pattern = ++glob->pattern_at;
		glob->star_at = glob->at;
		return 0;
	}
	if (!have && !want) {
		glob->matched = 1;
		return 1;
	}
	if (have && (want == '?' || want == have)) {
		glob->at++;
		glob->pattern_at++;
		return 0;
	}
	/* Let the latest '*' match one more character. */
	if (!glob->star_pattern || !glob->text[glob->star_at % ZC_PATTERN_BYTES])
		return 1;
	glob->at = ++glob->star_at;
	glob->pattern_at = glob->star_pattern;
	return 0;
}

static long zc_try_name(__u32 name, struct zc_glob *glob)
{
	glob->name = name;
	glob->at = glob->pattern_at = glob->star_at = glob->star_pattern = 0;
	bpf_loop(ZC_PATTERN_BYTES * 16, zc_glob_step, glob, 0);
	/* The verifier requires a result of 0 or 1. */
	return glob->matched ? 1 : 0;
}

/* Searches from the end for the last slash. */
struct zc_base_name {
	char path[256];
	__u32 length;
	__u32 begin;
};

static long zc_find_slash(__u32 step, struct zc_base_name *base)
{
	__u32 at = base->length - step - 1;

	if (base->path[at % sizeof(base->path)] != '/')
		return 0;
	base->begin = at + 1;
	return 1;
}

__u32 zc_wanted_path(__u64 address)
{
	struct zc_base_name base = {};
	struct zc_glob glob = {};
	long length = bpf_probe_read_kernel_str(base.path, sizeof(base.path), (void *)address);

	/* The collector finds longer paths in /proc. */
	if (length <= 1 || length >= (long)sizeof(base.path))
		return 0;
	base.length = length;
	bpf_loop(base.length, zc_find_slash, &base, 0);
	bpf_probe_read_kernel_str(glob.text, sizeof(glob.text), (void *)(address + base.begin));
	bpf_loop(config.wanted_names, zc_try_name, &glob, 0);
	return glob.matched;
}

/*
 * A cgroup that is a target lies at one of the first levels. Any user who may make cgroups
 * can make thousands of levels.
 */
#define ZC_MAX_CGROUP_LEVELS 128

struct zc_cgroup_search {
	__u64 cgroup;
	__u64 ancestor;
	__u32 found;
};

static long zc_try_cgroup(__u32 index, struct zc_cgroup_search *search)
{
	if (search->ancestor != cgroup_targets[index % ZC_MAX_CGROUPS])
		return 0;
	search->found = 1;
	return 1;
}

static long zc_try_ancestor(__u32 level, struct zc_cgroup_search *search)
{
	struct cgroup *ancestor = 0;

	bpf_probe_read_kernel(&ancestor, sizeof(ancestor),
			      (void *)search->cgroup +
			      bpf_core_field_offset(struct cgroup, ancestors) +
			      level * sizeof(ancestor));
	search->ancestor = BPF_CORE_READ(ancestor, kn, id);
	bpf_loop(config.wanted_cgroups, zc_try_cgroup, search, 0);
	return search->found ? 1 : 0;
}

__u32 zc_in_wanted_cgroup(__u64 address)
{
	struct task_struct *task = (void *)address;
	struct zc_cgroup_search search = {};
	struct cgroup *cgroup;
	__u32 levels;

	cgroup = BPF_CORE_READ(task, cgroups, dfl_cgrp);
	search.cgroup = (__u64)cgroup;
	levels = BPF_CORE_READ(cgroup, level) + 1;
	bpf_loop(levels < ZC_MAX_CGROUP_LEVELS ? levels : ZC_MAX_CGROUP_LEVELS, zc_try_ancestor,
		 &search, 0);
	return search.found ? 1 : 0;
}

__u32 zc_may_be_target(__u64 address)
{
	struct task_struct *task = (void *)address;
	struct task_struct *parent;
	__u32 pid;

	pid = zc_namespace_pid_at((__u64)BPF_CORE_READ(task, group_leader));
	/* Tasks outside of zctrace's PID namespace are in no snapshot either. */
	if (!pid || pid == config.own_pid)
		return 0;
	if (config.one_user && BPF_CORE_READ(task, cred, uid.val) != config.user)
		return 0;
	if (config.own_helpers) {
		parent = BPF_CORE_READ(task, real_parent, group_leader);
		if (zc_namespace_pid_at((__u64)parent) == config.own_pid)
			return 0;
	}
	return 1;
}

__u32 zc_wanted(__u64 address)
{
	struct task_struct *task = (void *)address;
	struct zc_glob glob = {};

	if (BPF_CORE_READ(task, flags) & PF_KTHREAD)
		return 0;
	if (!zc_may_be_target(address))
		return 0;
	if (config.want_all)
		return 1;
	if (config.wanted_cgroups && zc_in_wanted_cgroup(address))
		return 1;
	if (config.wanted_names) {
		bpf_probe_read_kernel_str(glob.text, ZC_NAME_BYTES,
					  (void *)address + bpf_core_field_offset(task->comm));
		bpf_loop(config.wanted_names, zc_try_name, &glob, 0);
	}
	return glob.matched;
}
