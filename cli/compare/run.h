// SPDX-License-Identifier: MIT
// Carries out a plan: every row is verified, timed without probes in interleaved rounds, and
// counted with probes in a pass of its own.
#pragma once

#include "cli/compare/plan.h"
#include "cli/compare/result.h"
#include "collector/os/signals.h"

namespace zctrace {

// Makes the source, the FUSE daemons if any, and a process for each run. A signal ends it early:
// `interrupted_by` then names the signal. Throws Error.
CompareResult run_compare(const ComparePlan& plan);

}  // namespace zctrace
