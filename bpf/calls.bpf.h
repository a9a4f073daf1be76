/* SPDX-License-Identifier: GPL-2.0 */
/* From registers to a row: which syscall it is, and the kinds of its descriptors. */
#ifndef ZC_CALLS_H
#define ZC_CALLS_H

#include "clones.bpf.h"
#include "kinds.bpf.h"
#include "rows.bpf.h"

/* The last entry of config.calls[] describes every call that has no entry of its own. */
#define ZC_CALL_UNKNOWN (ZC_MAX_SYSCALLS - 1)
#define ZC_X32_BIT 0x40000000


/* The number of the call that the owner of the registers is in. */
static __always_inline long zc_regs_call(const struct pt_regs *regs)
{
	const struct pt_regs___syscallno *arm64 = (const void *)regs;

	if (bpf_core_field_exists(regs->orig_ax))
		return regs->orig_ax;
	return arm64->syscallno;
}

/* Whether the number belongs to another table than config.calls[], such as the 32-bit one. */
static __always_inline bool zc_foreign_call(const struct task_struct *task, long number)
{
	return zc_compat_call(task) || (number >= 0 && number & ZC_X32_BIT);
}

/* Index into config.calls[]; user space may pass any number. */
static __always_inline __u32 zc_call_index(long number)
{
	if (number < 0 || number >= ZC_CALL_UNKNOWN)
		return ZC_CALL_UNKNOWN;
	return number;
}

static __always_inline const volatile struct zc_call *zc_call_at(__u32 index)
{
	return &config.calls[index % ZC_MAX_SYSCALLS];
}

struct zc_args {
	__u64 arg[4];
};

static __always_inline struct zc_args zc_args_of(struct pt_regs *regs)
{
	return (struct zc_args){ {
		PT_REGS_PARM1_SYSCALL(regs),
		PT_REGS_PARM2_SYSCALL(regs),
		PT_REGS_PARM3_SYSCALL(regs),
		PT_REGS_PARM4_SYSCALL(regs),
	} };
}

static __always_inline __u8 zc_end_kind(const struct zc_args *args, __u64 fdt, __u8 end)
{
	__u32 fd;

	switch (end) {
	case ZC_END_USER:
		return ZC_USER;
	case ZC_END_ARG0:
		fd = args->arg[0];
		break;
	case ZC_END_ARG1:
		fd = args->arg[1];
		break;
	case ZC_END_ARG2:
		fd = args->arg[2];
		break;
	default:
		return ZC_OTHER;
	}
	return zc_fd_kind(fdt, fd);
}

/* The word of the row's key; a global function as in kinds.bpf.h. */
__u32 zc_vmsplice_key(__u32 fd, __u32 row);

/* The row that the call of `task`, the current one, belongs to. */
static __always_inline struct zc_key zc_call_key(struct zc_task *state, struct task_struct *task,
						 struct pt_regs *regs,
						 const volatile struct zc_call *call)
{
	__u32 row = call->row;
	struct zc_args args;
	__u64 fdt;
	__u8 result;

	/* Most calls move no bytes and end here. */
	if (call->from == ZC_END_NONE)
		return ZC_KEY(row, ZC_OTHER, ZC_OTHER);
	args = zc_args_of(regs);
	result = call->result;
	if (result == ZC_RESULT_VMSPLICE)
		return (struct zc_key){ zc_vmsplice_key(args.arg[0], row) };
	if (result == ZC_RESULT_CLONE_FILE) {
		if (zc_is_clone(args.arg[1]))
			return (struct zc_key){ zc_clone_key(args.arg[0], args.arg[1],
							     args.arg[2]) };
		return ZC_KEY(row, ZC_OTHER, ZC_OTHER);
	}
	fdt = zc_number(state, task->files->fdt);
	return ZC_KEY(row, zc_end_kind(&args, fdt, call->from),
		      zc_end_kind(&args, fdt, call->to));
}

#endif
