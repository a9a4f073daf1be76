/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Records that consist of 64-bit counters, added up without naming each one. Only inline
 * functions: the compiler unrolls the loops, because it knows the size at each call.
 */
#ifndef ZC_COUNTERS_H
#define ZC_COUNTERS_H

#include "kernel_types.bpf.h"

#include <bpf/bpf_helpers.h>

#define ZC_COUNTERS(record) (sizeof(record) / sizeof(__u64))

/* Atomic, because two tasks of a process may exit at once. */
static __always_inline void zc_counters_add(void *sum, const void *more, const __u32 count)
{
#pragma unroll
	for (__u32 i = 0; i < count; i++)
		__sync_fetch_and_add((__u64 *)sum + i, ((const __u64 *)more)[i]);
}

static __always_inline void zc_counters_subtract(void *later, const void *earlier,
						 const __u32 count)
{
#pragma unroll
	for (__u32 i = 0; i < count; i++)
		((__u64 *)later)[i] -= ((const __u64 *)earlier)[i];
}

#endif
