// SPDX-License-Identifier: MIT
// Checks and conversions of option values. CLI11's own show ranges and types in --help and refuse
// in its own words.
#pragma once

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace zctrace {

// "'colour' is not one of process, thread; did you mean ...?"
CLI::Validator one_of(std::vector<std::string> values);

// What a shell offers for a value: these words, where "@file", "@directory", "@pid", "@process",
// "@cgroup", "@unit", "@syscall", "@method" and "@command" stand for all words of their kind, and a
// first "," for a list with commas. It refuses nothing. one_of() and file_name() imply theirs.
CLI::Validator offers(const std::vector<std::string>& words);

// The words of the option's offers() or one_of(); without one, what its type's name implies.
std::vector<std::string> offered(CLI::Option& option);

// A whole number from `least` to `most`.
CLI::Validator number_from(std::uint64_t least, std::uint64_t most);

// A size as parse_size() takes it, at least 1 byte.
CLI::Validator size_in_bytes();

// Turns a duration as parse_duration() takes it into nanoseconds, at least `shortest`.
CLI::Validator duration_in_ns(std::chrono::nanoseconds shortest = std::chrono::nanoseconds(1));

// The name of a file; '-' is standard output.
CLI::Validator file_name();

// Any text but "", which would be as if the option were not given.
CLI::Validator not_empty();

// A report takes a few milliseconds to read, so shorter times make no sense.
constexpr std::chrono::milliseconds kShortestTime(10);

// An option that takes a duration; without it `value` stays as it is.
CLI::Option* add_duration_option(CLI::App& command, const std::string& names,
                                 std::optional<std::chrono::nanoseconds>& value,
                                 const std::string& description,
                                 std::chrono::nanoseconds shortest = std::chrono::nanoseconds(1));

}  // namespace zctrace
