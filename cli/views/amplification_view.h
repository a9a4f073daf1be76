// SPDX-License-Identifier: MIT
// What a mount multiplies: applications' calls, requests and the daemon's calls, side by side.
#pragma once

#include <nlohmann/json.hpp>
#include <vector>

#include "cli/views/cell.h"
#include "cli/views/wording.h"
#include "collector/fuse/report/fuse_report.h"

namespace zctrace {

// All of reports whose `observed` is there.
Grid amplification_grid(const fuse::FuseReport& report);
std::vector<Fact> amplification_facts(const fuse::FuseReport& report);
nlohmann::ordered_json amplification_json(const fuse::FuseReport& report);

}  // namespace zctrace
