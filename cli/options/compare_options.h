// SPDX-License-Identifier: MIT
// What `compare` measures, and how.
#pragma once

#include <CLI/CLI.hpp>

#include "cli/compare/plan.h"

namespace zctrace {

void add_compare_options(CLI::App& command, CompareOptions& options);

}  // namespace zctrace
