// SPDX-License-Identifier: MIT
// -d and -i: how long to observe, and how often to report.
#pragma once

#include <CLI/CLI.hpp>
#include <chrono>
#include <optional>

namespace zctrace {

// `ends`: what happens after that time, as in "Stop".
void add_end_option(CLI::App& command, std::optional<std::chrono::nanoseconds>& duration,
                    const char* ends = "Stop");
// For commands that can write a report of each interval instead of one of all.
void add_interval_option(CLI::App& command, std::optional<std::chrono::nanoseconds>& interval);

}  // namespace zctrace
