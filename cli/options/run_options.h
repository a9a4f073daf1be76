// SPDX-License-Identifier: MIT
// What `run` observes, and as which user.
#pragma once

#include <CLI/CLI.hpp>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "cli/options/count_options.h"
#include "cli/options/output_options.h"
#include "cli/options/record_options.h"

namespace zctrace {

struct RunOptions {
  std::vector<std::string> argv;
  CountOptions count;
  OutputOptions output;
  RecordOptions record;
  std::optional<std::chrono::nanoseconds> duration;
  std::optional<std::chrono::nanoseconds> interval;
  // Whether each interval has a report of its own. With --record it is that of the recording.
  bool reports_intervals() const { return interval && record.file.empty(); }
  bool as_root = false;
  bool wait_all = false;
  bool json_schema = false;
  std::string mount;  // a directory that the command sees through the passthrough
};

// Adds all of them, and the help; `argv` is what follows the options.
void add_run_options(CLI::App& command, RunOptions& options);
// Throws Error (usage) for values that do not fit together.
void check_run_options(const RunOptions& options);

}  // namespace zctrace
