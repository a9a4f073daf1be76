// SPDX-License-Identifier: GPL-2.0
/*
 * The parts of the programs at entry and exit of a syscall, each in as few lines as it
 * needs, to show what each adds to the cost of a syscall.
 */
#include "bpf/tasks.bpf.h"
#include "bpf/histogram.bpf.h"

char LICENSE[] SEC("license") = "GPL";

extern void *bpf_rdonly_cast(void *pointer, __u32 btf_id) __ksym __weak;

/* Each includes those before it; parts.c sets this before loading. */
const volatile bool with_current = false;
const volatile bool with_bit = false;
const volatile bool with_state = false;
const volatile bool with_row = false;
const volatile bool with_kind = false;
const volatile bool with_clock = false;
const volatile bool with_histogram = false;

__u64 observed[ZC_MAX_TIDS / 64] = {};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct zc_task);
} states SEC(".maps");

/* As zc_fd_kind does since 6.2: five loads, the last two in cold-ish lines. */
static __always_inline __u32 part_kind(__u32 fd)
{
	struct fdtable *fdt = bpf_get_current_task_btf()->files->fdt;
	struct list_head *place;
	struct file *file;

	if (fd >= fdt->max_fds)
		return ZC_OTHER;
	place = bpf_rdonly_cast(fdt->fd + fd, bpf_core_type_id_kernel(struct list_head));
	if (!place->next)
		return ZC_OTHER;
	file = bpf_rdonly_cast(place->next, bpf_core_type_id_kernel(struct file));
	return file->f_inode->i_mode >> 12 & 7;
}

SEC("tp_btf/sys_enter")
int BPF_PROG(part_enter, struct pt_regs *regs, long number)
{
	struct task_struct *task;
	struct zc_task *state;
	__u32 kind = 0;

	if (!with_current)
		return 0;
	task = bpf_get_current_task_btf();
	if (!with_bit || !zc_observed(task))
		return 0;
	if (!with_state)
		return 0;
	state = bpf_task_storage_get(&states, task, 0, 0);
	if (!state)
		return 0;
	if (with_row)
		state->head.call = number;
	if (with_kind)
		kind = part_kind(PT_REGS_PARM1_SYSCALL(regs));
	if (with_row)
		state->head.slot = state->head.hint[((__u32)number + kind) % ZC_HINTS];
	if (with_clock)
		state->head.entered_ns = bpf_ktime_get_ns();
	return 0;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(part_exit, struct pt_regs *regs, long ret)
{
	struct task_struct *task;
	struct zc_task *state;
	struct zc_row *row;
	__u64 wall_ns;

	if (!with_current)
		return 0;
	task = bpf_get_current_task_btf();
	if (!with_bit || !zc_observed(task))
		return 0;
	if (!with_state)
		return 0;
	state = bpf_task_storage_get(&states, task, 0, 0);
	if (!state || !with_row)
		return 0;
	row = &state->rows[state->head.slot % 8];
	row->calls++;
	if (ret < 0)
		row->errors++;
	else
		row->bytes += ret;
	state->head.call = -1;
	if (!with_clock)
		return 0;
	wall_ns = bpf_ktime_get_ns() - state->head.entered_ns;
	row->wall_ns += wall_ns;
	if (wall_ns > row->max_ns)
		row->max_ns = wall_ns;
	if (with_histogram)
		row->latency[zc_bucket(wall_ns) % ZC_BUCKETS]++;
	return 0;
}
