// SPDX-License-Identifier: MIT
// How long BPF programs run, as the kernel measures it on request.
#pragma once

#include <vector>

#include "collector/model/timing/observer_cost.h"
#include "collector/os/descriptor.h"

struct bpf_object;

namespace zctrace {

// While the descriptor is open, the kernel measures every run of every BPF program of the machine.
// Empty if the kernel does so anyway (kernel.bpf_stats_enabled). Throws Error (cannot run here):
// the kernel refuses, as it does without CAP_SYS_ADMIN.
Descriptor measure_run_times();

// The loaded programs of an object, with what was measured of them.
std::vector<BpfRunTime> bpf_run_times(const bpf_object* object);

}  // namespace zctrace
