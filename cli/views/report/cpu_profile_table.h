// SPDX-License-Identifier: MIT
// The table of where the CPU time went, by samples. Rearranges a report's figures, adds none.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/views/cell.h"
#include "cli/views/wording.h"
#include "collector/model/report.h"

namespace zctrace {

// Of a process or a sum that has a profile. The classes with the smallest shares are left out first
// where the page is narrow.
Section cpu_profile_section(const Process& process, std::optional<GroupBy> by,
                            const Wording& wording);

// A line of such a table.
struct ProfileLine {
  std::string name;  // what it is of
  std::string flow;
  CpuProfile cpu;
  Tone tone = Tone::plain;
};
// The table; `name` is the title of its first column. Without flows it has no column for them.
Section cpu_profile_section(const std::string& name, const std::vector<ProfileLine>& lines,
                            bool flows, bool unicode);

// Shares with a wider margin say nothing.
inline constexpr double kWidestMargin = 0.2;
// "54% copy", or with a sign "54% ±3% copy"; "-" if the margin is wider than that, "" if there are
// no samples.
std::string largest_class(const CpuProfile& profile, const std::string& plus_minus = "");

}  // namespace zctrace
