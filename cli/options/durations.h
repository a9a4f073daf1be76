// SPDX-License-Identifier: MIT
// Options that take a duration.
#pragma once

#include <CLI/CLI.hpp>
#include <chrono>
#include <optional>
#include <string>

namespace zctrace {

// A time as parse_duration() takes it, more than nothing and not below `shortest`; "" is nullopt.
// Throws CLI::ValidationError naming `option`.
std::optional<std::chrono::nanoseconds> duration_option(
    const char* option, const std::string& text,
    std::chrono::nanoseconds shortest = std::chrono::nanoseconds(1));

}  // namespace zctrace
