// SPDX-License-Identifier: MIT
// What `attach` observes, and for how long.
#pragma once

#include <CLI/CLI.hpp>
#include <chrono>
#include <optional>

#include "cli/options/count_options.h"
#include "cli/options/output_options.h"
#include "cli/options/record_options.h"
#include "cli/options/target_options.h"

namespace zctrace {

struct AttachOptions {
  TargetOptions targets;
  CountOptions count;
  OutputOptions output;
  RecordOptions record;
  std::optional<std::chrono::nanoseconds> duration;
  std::optional<std::chrono::nanoseconds> interval;
};

// Adds all of them, in the order of the help.
void add_attach_options(CLI::App& command, AttachOptions& options);

}  // namespace zctrace
