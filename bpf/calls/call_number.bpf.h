/* SPDX-License-Identifier: GPL-2.0 */
/* Which system call a task is in. */
#ifndef ZC_CALL_NUMBER_H
#define ZC_CALL_NUMBER_H

#include "bpf/kernel_types.bpf.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

/* The number of the call that the owner of the registers is in. */
static __always_inline long zc_regs_call(const struct pt_regs *regs)
{
	const struct pt_regs___syscallno *arm64 = (const void *)regs;

	if (bpf_core_field_exists(regs->orig_ax))
		return regs->orig_ax;
	return arm64->syscallno;
}

#endif
