// SPDX-License-Identifier: GPL-2.0
/* Draws at random how many calls are not timed. */
#include "sampling.bpf.h"

const volatile __u8 estimates_checked = 0;
__u64 untimed_ns = 0;

_Static_assert(ZC_TIMED_ONE_IN == 16, "a choice takes four bits");

/*
 * Each group of four bits decides about one call, which is timed if they are all zero. Eight groups
 * may choose none: then there is another draw after eight calls.
 */
__u32 zc_draw_pass(void)
{
	__u32 bits = bpf_get_prandom_u32();
	__u32 none = ~(bits | bits >> 1 | bits >> 2 | bits >> 3) & 0x11111111;
	__u32 pass = 0;

	if (!none)
		return 8;
	if (!(none & 0xffff)) {
		pass += 4;
		none >>= 16;
	}
	if (!(none & 0xff)) {
		pass += 2;
		none >>= 8;
	}
	if (!(none & 0xf))
		pass++;
	return pass | ZC_PASS_THEN_TIME;
}
