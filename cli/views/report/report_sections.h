// SPDX-License-Identifier: MIT
// A report in the order in which people read it; the formats only differ in how they lay it out.
#pragma once

#include <optional>
#include <vector>

#include "cli/views/cell.h"
#include "cli/views/wording.h"
#include "collector/model/report.h"

namespace zctrace {

// `by` absent: rows by syscall and flow, and a line a process when there is more than one.
std::vector<Section> report_sections(const Report& report, std::optional<GroupBy> by,
                                     const Wording& wording);

}  // namespace zctrace
