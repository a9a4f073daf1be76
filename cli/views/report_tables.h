// SPDX-License-Identifier: MIT
// The tables of a report: its rows, and its processes. Rearranges a report's figures, adds none.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "cli/views/cell.h"
#include "cli/views/wording.h"
#include "collector/model/report.h"

namespace zctrace {

// The rows of one process or of a sum, then what happened outside them and their total.
// `by` is syscall or flow; absent: one line each (syscall, from, to).
Grid rows_grid(const Process& process, std::optional<GroupBy> by, const Wording& wording);

// One line a process or thread, those that moved the most bytes first, at most kProcessLines;
// then one for the others, if any.
inline constexpr std::size_t kProcessLines = 20;
Grid processes_grid(const Report& report, const Wording& wording);
// What that does not show, "" where it shows all.
std::string processes_left_out(const Report& report, const Wording& wording);

// As processes_grid orders them.
std::vector<const Process*> by_bytes(const std::vector<Process>& processes);

}  // namespace zctrace
