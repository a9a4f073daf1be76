// SPDX-License-Identifier: MIT
// What main() runs: parsing only records the choice, so that errors have one handler.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

namespace zctrace {

// Returns the exit status; throws Error.
using Action = std::function<int()>;

// What follows "--" on the command line; nullopt where there is none.
using Separated = std::optional<std::vector<std::string>>;

void add_run_command(CLI::App& app, const Separated& separated, Action& chosen);
void add_attach_command(CLI::App& app, Action& chosen);
void add_top_command(CLI::App& app, Action& chosen);
void add_export_command(CLI::App& app, Action& chosen);
void add_compare_command(CLI::App& app, const Separated& separated, Action& chosen);
void add_drain_command(CLI::App& app, Action& chosen);
void add_mount_command(CLI::App& app, Action& chosen);
void add_report_command(CLI::App& app, Action& chosen);
void add_diff_command(CLI::App& app, Action& chosen);
void add_fuse_command(CLI::App& app, Action& chosen);
void add_doctor_command(CLI::App& app, Action& chosen);

}  // namespace zctrace
