// SPDX-License-Identifier: MIT
// The rows of programs: those of --program beside the methods, and commands against each other.
#pragma once

#include <string>
#include <vector>

#include "cli/compare/plan.h"

namespace zctrace {

// What separates the commands of `compare -- CMD1 ::: CMD2`.
inline constexpr const char* kBetweenCommands = ":::";

// Each of NAME=COMMAND; a row for each buffer size if COMMAND uses {buffer}. Throws Error (usage).
std::vector<PlannedRow> plan_programs(const std::vector<std::string>& programs,
                                      const std::vector<NamedBuffer>& buffers,
                                      const RoutePlan& route);

// A row for each command. Throws Error (usage).
std::vector<PlannedRow> plan_commands(const std::vector<std::string>& words);

}  // namespace zctrace
