// SPDX-License-Identifier: GPL-2.0
/*
 * How long the programs at a tracepoint take, seen from outside. They run in the order in which
 * they were attached, so a program attached before zctrace's and one attached after them
 * read the clock on either side.
 */
#include "bpf/kernel_types.bpf.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "tests/bench/run_times.h"

char LICENSE[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, RUN_TIMES_TRACEPOINTS);
	__type(key, __u32);
	__type(value, struct run_times);
} run_times SEC(".maps");

/* The interrupts of each CPU. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} interrupts SEC(".maps");

SEC("raw_tp")
int interrupt(void *context)
{
	__u32 key = 0;
	__u64 *count = bpf_map_lookup_elem(&interrupts, &key);

	if (count)
		++*count;
	return 0;
}

/* Changes whenever something interrupts this CPU or another task runs. */
static __always_inline __u64 interruptions(struct task_struct *task)
{
	__u32 key = 0;
	__u64 *count = bpf_map_lookup_elem(&interrupts, &key);

	return (count ? *count : 0) + BPF_CORE_READ(task, nivcsw) + BPF_CORE_READ(task, nvcsw);
}

static __always_inline int begin(__u32 tracepoint)
{
	struct run_times *times = bpf_map_lookup_elem(&run_times, &tracepoint);

	if (!times)
		return 0;
	times->task = bpf_get_current_task();
	times->interruptions = interruptions((void *)times->task);
	times->began = bpf_ktime_get_ns();
	return 0;
}

static __always_inline int end(__u32 tracepoint)
{
	__u64 now = bpf_ktime_get_ns(), took;
	struct run_times *times = bpf_map_lookup_elem(&run_times, &tracepoint);

	if (!times || !times->began || times->task != bpf_get_current_task())
		return 0;
	took = now - times->began;
	times->began = 0;
	times->runs++;
	times->sum += took;
	if (took > times->longest)
		times->longest = took;
	if (interruptions((void *)times->task) != times->interruptions) {
		times->interrupted++;
		return 0;
	}
	if (took > times->longest_alone)
		times->longest_alone = took;
	if (took > RUN_TIMES_MOST_NS)
		times->beyond++;
	return 0;
}

#define MEASURE(number, name)                                                                      \
	SEC("?raw_tp/" #name) int before_##name(void *context) { return begin(number); }           \
	SEC("?raw_tp/" #name) int after_##name(void *context) { return end(number); }

RUN_TIMES_OF(MEASURE)
