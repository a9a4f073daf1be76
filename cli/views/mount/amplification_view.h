// SPDX-License-Identifier: MIT
// What a mount multiplies: applications' calls, requests and the daemon's calls, side by side.
#pragma once

#include "cli/views/cell.h"
#include "collector/model/report.h"

namespace zctrace {

// All functions here require report.mount->observed.
Grid amplification_grid(const Report& report);
// What FUSE adds to a call, in one sentence.
Fact amplification_verdict(const Report& report);

}  // namespace zctrace
