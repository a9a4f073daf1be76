// SPDX-License-Identifier: MIT
// The table of where the CPU time went, by samples. Rearranges a report's figures, adds none.
#pragma once

#include <optional>
#include <string>

#include "cli/views/cell.h"
#include "cli/views/wording.h"
#include "collector/model/report.h"

namespace zctrace {

// Of a process or a sum that has a profile. The classes with the smallest shares are left out first
// where the page is narrow.
Section cpu_profile_section(const Process& process, std::optional<GroupBy> by,
                            const Wording& wording);

// "54 % copy"; "" if there are no samples.
std::string largest_class(const CpuProfile& profile);

}  // namespace zctrace
