// SPDX-License-Identifier: GPL-2.0
/* The counters that accounts.bpf.h declares. */
#include "accounts.bpf.h"

__u64 accounts_made = 0;
__u64 tasks_made = 0;
__u32 walk_wanted = 0;
