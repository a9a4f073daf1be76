// SPDX-License-Identifier: MIT
// What `compare` measures, and how.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "cli/compare/plan.h"

namespace zctrace {

void add_compare_options(CLI::App& command, CompareOptions& options);

// --programs, apart because its value is not part of a plan.
void add_programs_option(CLI::App& command, std::string& wanted);

// Throws Error (usage) if an option was given that makes no sense for commands.
void refuse_transfer_options(const CLI::App& command);

}  // namespace zctrace
