// SPDX-License-Identifier: MIT
// -p, -n, -G, --unit and -a: shared by every command that watches running processes.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "collector/observe/attach_session.h"

namespace zctrace {

struct TargetOptions {
  std::vector<std::string> pids;  // each may be a list with commas
  Targets targets;
  bool wait = false;
};

void add_target_options(CLI::App& command, TargetOptions& options);

// Throws Error (usage): an invalid PID, or no target where one is `required`.
Targets parse_targets(const TargetOptions& options, bool required);

// `targets`: as parsed from `options`.
AttachSessionOptions attach_options(const TargetOptions& options, const Targets& targets,
                                    const SessionOptions& session);

}  // namespace zctrace
