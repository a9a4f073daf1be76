/* SPDX-License-Identifier: GPL-2.0 */
/* Which bucket of a latency histogram a time belongs to. Inline: it runs at every exit. */
#ifndef ZC_HISTOGRAM_H
#define ZC_HISTOGRAM_H

#include "abi.h"

/* Half octaves from 2^ZC_FIRST_OCTAVE on; the last bucket takes everything above. */
static __always_inline __u32 zc_bucket(__u64 ns)
{
	__u32 octave = 0, bucket;
	__u64 rest = ns;

	if (rest >> 32) { octave += 32; rest >>= 32; }
	if (rest >> 16) { octave += 16; rest >>= 16; }
	if (rest >> 8) { octave += 8; rest >>= 8; }
	if (rest >> 4) { octave += 4; rest >>= 4; }
	if (rest >> 2) { octave += 2; rest >>= 2; }
	if (rest >> 1) octave += 1;
	if (octave < ZC_FIRST_OCTAVE)
		return 0;
	bucket = (octave - ZC_FIRST_OCTAVE) * 2 + (ns >> (octave - 1) & 1);
	return bucket < ZC_BUCKETS ? bucket : ZC_BUCKETS - 1;
}

#endif
