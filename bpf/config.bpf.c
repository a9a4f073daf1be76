// SPDX-License-Identifier: GPL-2.0
/* The settings; the collector fills them in before it loads the programs. */
#include "config.bpf.h"

#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "GPL";

const volatile struct zc_config config = {};
