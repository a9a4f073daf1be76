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
// Throws Error (usage): a name in -e that no syscall has, or options that exclude each other.
void check_attach_options(const AttachOptions& options);

}  // namespace zctrace
