/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Clears memory where a few nanoseconds do not matter. The verifier checks each store of a memset on
 * every path to it; one call of a helper is checked once on each.
 */
#ifndef ZC_CLEAR_H
#define ZC_CLEAR_H

#include "kernel_types.bpf.h"

#include <bpf/bpf_helpers.h>

#define ZC_MOST_CLEARED 1024

extern const volatile char zeros[ZC_MOST_CLEARED];

#define ZC_CLEAR(place)                                                        \
	do {                                                                   \
		_Static_assert(sizeof(place) <= ZC_MOST_CLEARED, "too large"); \
		bpf_probe_read_kernel(&(place), sizeof(place), (void *)zeros); \
	} while (0)

#endif
