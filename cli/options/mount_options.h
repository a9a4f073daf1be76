// SPDX-License-Identifier: MIT
// What `mount` shows, where, and how it serves it.
#pragma once

#include <CLI/CLI.hpp>
#include <chrono>
#include <optional>
#include <string>

#include "cli/options/output_options.h"
#include "collector/fuse/report/served_mount.h"

namespace zctrace {

struct MountOptions {
  std::string source;
  std::string target;
  std::optional<std::chrono::nanoseconds> duration;
  std::optional<std::chrono::nanoseconds> interval;
  std::string cache = "auto";
  bool no_splice = false;
  std::string transport = "auto";
  bool passthrough = false;
  bool observe = false;
  unsigned threads = 0;
  OutputOptions output;
};

// Adds all of them except those of `output`.
void add_mount_options(CLI::App& command, MountOptions& options);

fuse::ServedMountOptions served_mount_options(const MountOptions& options);

}  // namespace zctrace
