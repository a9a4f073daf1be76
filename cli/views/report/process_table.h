// SPDX-License-Identifier: MIT
// The table of a report's processes. Rearranges a report's figures, adds none.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "cli/views/cell.h"
#include "cli/views/wording.h"
#include "collector/model/report.h"

namespace zctrace {

// One line a process or thread, those that moved the most bytes first, at most kProcessLines;
// then one for the others, if any.
inline constexpr std::size_t kProcessLines = 20;
Grid processes_grid(const Report& report, const Wording& wording);
// What that does not show, "" where it shows all.
std::string processes_left_out(const Report& report, const Wording& wording);

// As processes_grid orders them.
std::vector<const Process*> by_bytes(const std::vector<Process>& processes);

}  // namespace zctrace
