/* SPDX-License-Identifier: GPL-2.0 */
/* Which bucket of a latency histogram a time belongs to. Inline: it runs at every exit. */
#ifndef ZC_HISTOGRAM_H
#define ZC_HISTOGRAM_H

#include "abi.h"

/* `bits` if the number has more bits than that, otherwise 0: without a branch. */
static __always_inline __u32 zc_has_above(__u64 number, __u32 bits)
{
	__u64 negative = -(number >> bits);

	barrier_var(negative);
	return (negative >> 63) * bits;
}

/* Half octaves from 2^ZC_FIRST_OCTAVE on; the last bucket takes everything above. */
static __always_inline __u32 zc_bucket(__u64 ns)
{
	__u32 octave = 0, above, bucket, bits;
	__u64 rest = ns;

	/* Each branch would double what the verifier checks from here on. */
	for (bits = 32; bits; bits /= 2) {
		above = zc_has_above(rest, bits);
		octave += above;
		rest >>= above;
	}
	if (octave < ZC_FIRST_OCTAVE)
		return 0;
	bucket = (octave - ZC_FIRST_OCTAVE) * 2 + (ns >> (octave - 1) & 1);
	return bucket < ZC_BUCKETS ? bucket : ZC_BUCKETS - 1;
}

#endif
