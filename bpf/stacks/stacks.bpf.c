// SPDX-License-Identifier: GPL-2.0
/* From where bytes are moved; see stacks.bpf.h. Without --stacks nothing here is loaded. */
#include "stacks.bpf.h"
#include "bpf/bystanders.bpf.h"
#include "bpf/calls/calls.bpf.h"
#include "bpf/identity/pids.bpf.h"

enum {
	BPF_F_USER_STACK = 1ULL << 8,
};

const volatile __u64 stacks_every = 0;

/* Samples that found no space in `stacks`. */
__u64 stacks_lost = 0;

/* struct zc_stack_page and struct zc_stack_sample. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 24);
} stacks SEC(".maps");

/* What is left to copy. Not on the stack, where the verifier would follow each of its values. */
struct zc_stack_walk {
	__u64 next;	/* address */
	__u64 end;	/* where the stack is known to end */
	__u64 buffer;
	__u64 buffer_end;
	__u64 refused;	/* a page found no space */
};

/*
 * A call whose kernel functions are in sample.kernel[], taken where it moved bytes: when it ends, the
 * kernel has left them.
 */
struct zc_stack_inside {
	__u64 task;	/* address; 0: there is none */
	__u64 ip;	/* of the user's instruction that made it */
	__s64 call;
	__u64 frames;
};

/* What is too large for the stack of a program. */
struct zc_stack_cpu {
	__u64 left;	/* bytes up to and with that of the next point; 0: not chosen yet */
	__u64 rest;	/* bytes that follow it and belong to the same `stacks_every` */
	__u64 number;	/* of samples that were begun */
	__u64 most;	/* bytes that a call moved, of those lately */
	struct zc_stack_inside inside;
	struct zc_stack_walk walk;
	struct zc_stack_sample sample;
	struct zc_stack_page page;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct zc_stack_cpu);
} stack_cpus SEC(".maps");

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct mm_struct___image {
	unsigned long start_code;
	unsigned long start_stack;
	unsigned long arg_start;
	struct file *exe_file;
};

#pragma clang attribute pop

static __always_inline struct zc_stack_cpu *zc_stack_cpu(void)
{
	__u32 only = 0;

	return bpf_map_lookup_elem(&stack_cpus, &only);
}

/* From 0 up to `stacks_every`, which is below 2^32. */
static __always_inline __u64 zc_stack_offset(void)
{
	return (__u64)bpf_get_prandom_u32() * stacks_every >> 32;
}

/* Chooses the point of the next `stacks_every` bytes, which begin after `before` bytes. */
static __always_inline void zc_stack_choose(struct zc_stack_cpu *cpu, __u64 before)
{
	__u64 offset = zc_stack_offset();

	cpu->left = before + offset + 1;
	cpu->rest = stacks_every - offset - 1;
}

static __always_inline bool zc_stack_is_inside(const struct zc_stack_inside *inside,
					       const struct task_struct *task,
					       const struct pt_regs *regs)
{
	return inside->task == (__u64)task && inside->ip == PT_REGS_IP(regs) &&
	       inside->call == zc_regs_call(regs);
}

/*
 * In the kernel, where a call moves bytes. Notes its functions if the next point may be in it: a call
 * moves as many bytes as those before, or as the caller's third argument says.
 */
static __always_inline int zc_stack_note_inside(void)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct zc_stack_cpu *cpu;
	struct pt_regs *regs;
	long bytes;

	if (!zc_observed(task) || !zc_counting())
		return 0;
	cpu = zc_stack_cpu();
	if (!cpu)
		return 0;
	regs = (struct pt_regs *)bpf_task_pt_regs(task);
	if (cpu->left > cpu->most && cpu->left > PT_REGS_PARM3_SYSCALL(regs))
		return 0;
	if (zc_stack_is_inside(&cpu->inside, task, regs))
		return 0;
	cpu->inside.task = 0;
	bytes = bpf_get_task_stack(task, cpu->sample.kernel, sizeof(cpu->sample.kernel), 0);
	cpu->inside.frames = bytes > 0 ? (__u64)bytes / 8 : 0;
	cpu->inside.ip = PT_REGS_IP(regs);
	cpu->inside.call = zc_regs_call(regs);
	cpu->inside.task = (__u64)task;
	return 0;
}

/* Out of a socket. */
SEC("?zc_tp_btf/skb_copy_datagram_iovec")
int BPF_PROG(zc_stack_skb)
{
	return zc_stack_note_inside();
}

/* Into a TCP socket. */
SEC("?zc_tp_btf/tcp_sendmsg_locked")
int BPF_PROG(zc_stack_tcp)
{
	return zc_stack_note_inside();
}

/* Out of the page cache. */
SEC("?zc_tp_btf/mm_filemap_get_pages")
int BPF_PROG(zc_stack_cached)
{
	return zc_stack_note_inside();
}

/* Into the page cache, unless the page was to be written back already. */
SEC("?zc_tp_btf/writeback_dirty_folio")
int BPF_PROG(zc_stack_dirty)
{
	return zc_stack_note_inside();
}

/* How many points are in the next `bytes` bytes of this CPU. */
static __always_inline __u64 zc_stack_points(struct zc_stack_cpu *cpu, __u64 bytes)
{
	__u64 points = 1, whole, offset;

	/* Forgets a large call after some hundreds of small ones. */
	cpu->most -= cpu->most / 64;
	if (bytes > cpu->most)
		cpu->most = bytes;
	if (!cpu->left)
		zc_stack_choose(cpu, 0);
	if (bytes < cpu->left) {
		cpu->left -= bytes;
		return 0;
	}
	bytes -= cpu->left;
	if (bytes < cpu->rest) {
		zc_stack_choose(cpu, cpu->rest - bytes);
		return points;
	}
	bytes -= cpu->rest;
	whole = bytes / stacks_every;
	points += whole;
	bytes -= whole * stacks_every;
	offset = zc_stack_offset();
	if (bytes > offset) {
		points++;
		zc_stack_choose(cpu, stacks_every - bytes);
	} else {
		cpu->left = offset + 1 - bytes;
		cpu->rest = stacks_every - offset - 1;
	}
	return points;
}

/* Sends the next page. 1: there is no more. */
static long zc_stack_copy(__u32 index, void *unused)
{
	struct zc_stack_cpu *cpu = zc_stack_cpu();
	__u64 begin, end, bytes;

	if (!cpu)
		return 1;
	begin = cpu->walk.next;
	end = (begin | (ZC_STACK_PAGE_BYTES - 1)) + 1;
	if (begin >= cpu->walk.end || cpu->sample.pages >= ZC_STACK_PAGES)
		return 1;
	cpu->walk.next = end;
	if (begin >= cpu->walk.buffer && end <= cpu->walk.buffer_end)
		return 0;
	if (end > cpu->walk.end)
		end = cpu->walk.end;
	bytes = end - begin;
	barrier_var(bytes);
	if (bytes > ZC_STACK_PAGE_BYTES)
		return 1;
	if (bpf_probe_read_user(cpu->page.memory, bytes, (void *)begin))
		return 1;
	cpu->page.record = ZC_STACK_PAGE;
	cpu->page.bytes = bytes;
	cpu->page.sample = cpu->sample.sample;
	cpu->page.address = begin;
	if (bpf_ringbuf_output(&stacks, &cpu->page, bytes + ZC_STACK_PAGE_HEAD, BPF_RB_NO_WAKEUP)) {
		cpu->walk.refused = 1;
		return 1;
	}
	cpu->sample.pages++;
	return 0;
}

/* What is above the end of the main thread's stack is not known of others; their memory ends there. */
static __always_inline __u64 zc_stack_end(__u64 sp, __u64 start_stack)
{
	const __u64 reach = ZC_STACK_REACH * ZC_STACK_PAGE_BYTES;

	return sp < start_stack && start_stack - sp < reach ? start_stack : sp + reach;
}

/* The registers of user code, and the stack that they point to. */
static __always_inline void zc_stack_user(struct task_struct *task, struct zc_stack_cpu *cpu)
{
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(task);
	struct zc_stack_sample *sample = &cpu->sample;
	long bytes;

	if (bpf_core_field_exists(regs->orig_ax))
		bpf_probe_read_kernel(sample->registers, 21 * 8, regs);
	else
		bpf_probe_read_kernel(sample->registers, sizeof(sample->registers), regs);
	bytes = bpf_get_task_stack(task, sample->user, sizeof(sample->user), BPF_F_USER_STACK);
	sample->user_frames = bytes > 0 ? (__u64)bytes / 8 : 0;
	if (sample->flags & ZC_STACK_COMPAT)
		return;
	cpu->walk.next = PT_REGS_SP(regs);
	cpu->walk.end = zc_stack_end(cpu->walk.next, sample->image.start_stack);
	/*
	 * The bytes that were moved may be on the stack, where they are not a frame. Where the
	 * arguments are something else, the range is wrong by chance only: then a page is missing.
	 */
	cpu->walk.buffer = PT_REGS_PARM2_SYSCALL(regs);
	cpu->walk.buffer_end = cpu->walk.buffer + PT_REGS_PARM3_SYSCALL(regs);
	bpf_loop(ZC_STACK_REACH, zc_stack_copy, 0, 0);
}

/* How many frames of the kernel are in sample.kernel[]. */
static __always_inline __u16 zc_stack_kernel(struct task_struct *task, struct zc_stack_cpu *cpu)
{
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(task);
	struct zc_stack_sample *sample = &cpu->sample;
	long bytes;

	if (!(sample->flags & ZC_STACK_LATER))
		return zc_stack_is_inside(&cpu->inside, task, regs) ? cpu->inside.frames : 0;
	cpu->inside.task = 0;
	bytes = bpf_get_task_stack(task, sample->kernel, sizeof(sample->kernel), 0);
	return bytes > 0 ? (__u64)bytes / 8 : 0;
}

/* Of the current task. A function of its own, so that few calls pay for its registers. */
static __noinline int zc_stack_send(struct zc_stack_cpu *cpu)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct zc_stack_sample *sample = &cpu->sample;
	struct mm_struct___image *mm = (void *)BPF_CORE_READ(task, mm);

	sample->record = ZC_STACK_SAMPLE;
	sample->sample = (__u64)bpf_get_smp_processor_id() << 48 | (++cpu->number & (1ULL << 48) - 1);
	sample->pid = zc_namespace_pid_at((__u64)BPF_CORE_READ(task, group_leader));
	BPF_CORE_READ_INTO(&sample->name, task, group_leader, comm);
	sample->image.start_code = BPF_CORE_READ(mm, start_code);
	sample->image.start_stack = BPF_CORE_READ(mm, start_stack);
	sample->image.arg_start = BPF_CORE_READ(mm, arg_start);
	sample->image.executable = BPF_CORE_READ(mm, exe_file, f_inode, i_ino);
	sample->kernel_frames = zc_stack_kernel(task, cpu);
	sample->user_frames = 0;
	sample->pages = 0;
	cpu->walk.refused = 0;
	if (!(sample->flags & ZC_STACK_WORKER))
		zc_stack_user(task, cpu);
	/*
	 * Wakes the reader, so that it reads about the process while that exists. Without the
	 * flag only a record does that which follows nothing unread, and pages come before this.
	 */
	if (cpu->walk.refused ||
	    bpf_ringbuf_output(&stacks, sample, sizeof(*sample), BPF_RB_FORCE_WAKEUP))
		__sync_fetch_and_add(&stacks_lost, 1);
	return 0;
}

int zc_stack_count(__u64 account, __u32 key, __u64 bytes, __u32 flags)
{
	struct zc_stack_cpu *cpu = stacks_every ? zc_stack_cpu() : 0;
	__u64 points;

	if (!cpu)
		return 0;
	points = zc_stack_points(cpu, bytes);
	if (points) {
		cpu->sample.account = account;
		cpu->sample.key = key;
		cpu->sample.points = points;
		cpu->sample.flags = flags;
		zc_stack_send(cpu);
	}
	cpu->inside.task = 0;
	return 0;
}
