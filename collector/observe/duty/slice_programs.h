// SPDX-License-Identifier: MIT
// The programs that are attached only during slices of the time (--duty).
#pragma once

#include "bpf/abi.h"

struct zctrace_bpf;

namespace zctrace {

// Before loading: leaves out what slices cannot count.
void exclude_from_slices(zc_config& config);
// Before attaching: the programs of slices stay detached.
void leave_to_slices(zctrace_bpf& bpf);
// Throws Error (cannot run here).
void attach_for_slice(zctrace_bpf& bpf);
void detach_after_slice(zctrace_bpf& bpf);

}  // namespace zctrace
