// SPDX-License-Identifier: GPL-2.0
/* The settings, which the collector fills in before it loads the programs, and zeros. */
#include "clear.bpf.h"
#include "config.bpf.h"

#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "GPL";

const volatile struct zc_config config = {};
const volatile char zeros[ZC_MOST_CLEARED] = {};
