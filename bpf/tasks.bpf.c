// SPDX-License-Identifier: GPL-2.0
/* The maps and settings that the programs share; defined once, here. */
#include "kernel_types.bpf.h"

#include <bpf/bpf_helpers.h>

#include "abi.h"

char LICENSE[] SEC("license") = "GPL";

const volatile bool with_latency = true;
const volatile bool wide_tasks = false;
const volatile bool by_thread = false;
const volatile bool follow_children = true;
/* Count only while window_open is set: a caller marks its own measured part. */
const volatile bool windowed = false;
const volatile bool have_fast_cpu_maps = false;
/* For tests: so many tasks are given a state, ever; 0: as many as there is memory for. */
const volatile __u32 task_limit = 0;
/* Read the kernel's own counts, too, for user space to compare with. */
const volatile bool verifying = false;
const volatile __u32 pid_namespace_inum = 0;
const volatile __u32 compat_status_mask = 0;
const volatile __u32 compat_flags_mask = 0;

__u32 window_open = 0;

/*
 * One bit for each possible tid. Set only by who starts observing, cleared at the last switch.
 */
__u64 observed[(1 << 22) / 64] = {};
/* Tasks that began to be observed: what was known of bystanders before may be wrong. */
__u64 observations = 0;
__u64 losses[ZC_LOSSES] = {};

/*
 * Who was found unobserved last on each CPU. Since 6.10 a look-up here is no call, and
 * so its syscalls pay a few loads.
 */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct zc_bystander);
} bystanders SEC(".maps");

/* Each task's own state and rows; freed by the kernel with the task. */
struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct zc_task);
} tasks SEC(".maps");

/* The same with room for a row of every syscall, used instead of `tasks`. */
struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct zc_task_wide);
} tasks_wide SEC(".maps");

/* Rows that are no longer a task's: of exited tasks, or moved out for room. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 131072);
	__type(key, struct zc_row_key);
	__type(value, struct zc_row);
} rows SEC(".maps");

/* Processes, from their first observed task until the collector deletes them. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 65536);
	__type(key, __u64);
	__type(value, struct zc_account);
} accounts SEC(".maps");

/* What a process begins as there. */
const struct zc_folded_counts no_counts = {};

/* By account, with room for as many: what the kernel counted of its tasks that are gone. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 65536);
	__type(key, __u64);
	__type(value, struct zc_folded_counts);
} kernel_counts SEC(".maps");
