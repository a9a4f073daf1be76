// SPDX-License-Identifier: MIT
// One side of a difference: one or more saved files, and every figure in them with its samples.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "cli/diff/figures.h"
#include "cli/reading/saved_report.h"

namespace zctrace {

struct DiffSide {
  std::vector<std::string> files;  // as given, printable
  std::string command;             // of zctrace: "run", "attach", "mount", "compare"
  // What was observed or moved, in words.
  std::string subject;
  std::string version;
  std::string syscalls;  // -e
  Host host;
  std::string started_at;  // of the first report
  std::string last_started_at;
  std::uint64_t duration_ns = 0;
  std::uint64_t lost_events = 0;
  // Figures that add up are per second: the observation had no end of its own.
  bool per_second = false;
  const char* sample = "";  // what one is: "file", "interval", "run"
  std::size_t samples = 0;
  ScopedFigures values;
  // By scope and figure. Figures of which there is only one value have none.
  std::map<std::string, std::map<std::string, std::vector<double>>> sampled;
};

// `run` is compared as a whole: each file is a sample. Observations that do not end by themselves
// are compared per second: each interval is a sample, or each file if none has intervals. Of
// `compare`, each timed run is a sample. Throws Error (usage): the files are of different commands.
DiffSide side_of(const std::vector<SavedFile>& files);

}  // namespace zctrace
