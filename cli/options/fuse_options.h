// SPDX-License-Identifier: MIT
// What `fuse` watches, for how long, and where the report goes.
#pragma once

#include <CLI/CLI.hpp>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "cli/options/output_options.h"
#include "collector/fusewatch/fuse_watch.h"

namespace zctrace {

struct FuseOptions {
  std::string mount;  // "": every mount
  std::optional<std::chrono::nanoseconds> duration;
  std::optional<std::chrono::nanoseconds> interval;
  bool live = false;
  bool json_schema = false;
  std::size_t max_processes = 1000;
  std::vector<std::string> room;  // NAME=N, as FuseWatchOptions::room
  OutputOptions output;
};

void add_fuse_options(CLI::App& command, FuseOptions& options);

// Throws Error: usage.
fusewatch::FuseWatchOptions fuse_watch_options(const FuseOptions& options);

}  // namespace zctrace
