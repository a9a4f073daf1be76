// SPDX-License-Identifier: MIT
// What to count: shared by every command that observes.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "cli/options/advice_options.h"
#include "cli/options/output_options.h"
#include "collector/observe/session.h"

namespace zctrace {

struct CountOptions {
  std::string syscalls = "%io";
  std::string timing = "adaptive";
  bool no_latency = false;  // stands for "none"
  bool no_follow = false;
  std::vector<std::string> room;  // NAME=N, as ProbeOptions::room
  bool verify = false;            // where the command has it
  bool cost = false;              // where the command has it
  std::string duty;               // the share; empty: all the time; where the command has it
  std::string profile;            // the rate; empty: no profile; where the command has it
  AdviceOptions advice;           // where the command has it
};

void add_count_options(CLI::App& command, CountOptions& options);
// Throws Error (usage) for a name in -e that no syscall has, and suggests the one that was meant.
void check_syscalls(const CountOptions& options);
// "-e list": the command prints the names that -e takes instead of observing.
bool wants_syscall_list(const CountOptions& options);
// Prints them, and what each group holds; returns the exit status.
int print_syscall_list();
// "NAME=N": the space of one map, for tests. Throws Error: usage.
std::pair<std::string, std::uint32_t> parse_room(const std::string& text);

// What --timing and --no-latency say together. Throws Error: usage.
Timing timing_of(const CountOptions& options);

// For commands that end in one report.
void add_verify_option(CLI::App& command, CountOptions& options);

// For commands that show what observing costs.
void add_cost_option(CLI::App& command, CountOptions& options);

// For commands that may observe slices of the time only.
void add_duty_option(CLI::App& command, CountOptions& options);
// The share of the time, 0 to 1; 0: not given. Throws Error: usage.
double duty_share(const CountOptions& options);
// Throws Error (usage) if --duty and this `option` are given.
void refuse_with_duty(const CountOptions& options, bool given, const std::string& option,
                      const char* why);

// For commands that show a profile.
void add_profile_option(CLI::App& command, std::string& profile,
                        const std::string& group = "What to count");
// The rate of --profile; 0: not given. Throws Error: usage.
unsigned profile_hz(const std::string& profile);

// The session's settings from both. Throws Error: usage.
SessionOptions session_options(const CountOptions& count, const OutputOptions& output);

}  // namespace zctrace
