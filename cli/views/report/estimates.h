// SPDX-License-Identifier: MIT
// How tables mark times that are estimated, because not every call was timed.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/views/cell.h"
#include "collector/model/report.h"

namespace zctrace {

// What stands before the time of this row: nothing if it was measured.
std::string estimate_mark(const Row& row);

// Explains the mark, and says how exact the estimates are; nullopt: no row has one.
std::optional<ColumnNote> estimate_note(const std::vector<Row>& rows);

}  // namespace zctrace
