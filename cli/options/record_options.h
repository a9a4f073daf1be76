// SPDX-License-Identifier: MIT
// --record: a file that grows while an observation goes on.
#pragma once

#include <CLI/CLI.hpp>
#include <chrono>
#include <string>

namespace zctrace {

// How often a recording gets an interval where -i does not say it.
inline constexpr std::chrono::seconds kRecordingInterval(1);

struct RecordOptions {
  std::string file;  // "": none
  std::string size = "1G";
};

void add_record_options(CLI::App& command, RecordOptions& options);

}  // namespace zctrace
