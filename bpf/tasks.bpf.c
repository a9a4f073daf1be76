// SPDX-License-Identifier: GPL-2.0
/* What tasks.bpf.h declares. */
#include "tasks.bpf.h"

__u32 window_open = 0;

__u64 observed[ZC_MAX_TIDS / 64] = {};
__u64 observations = 0;
__u64 in_flight_at_start = 0;
__u64 losses[ZC_LOSSES] = {};
struct zc_share shares[ZC_SHARES] = {};
__u64 rows_folded = 0;
