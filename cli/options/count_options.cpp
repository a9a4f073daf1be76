// SPDX-License-Identifier: MIT
// From options to what a session is asked for.
#include "cli/options/count_options.h"

#include <charconv>
#include <cstdint>
#include <utility>

#include "collector/os/error.h"

namespace zctrace {

void add_count_options(CLI::App& command, CountOptions& options) {
  command
      .add_option("-e,--syscalls", options.syscalls,
                  "Syscalls with a row of their own: names, %copy, %zerocopy, %io, %all")
      ->type_name("LIST");
  command.add_flag("--no-latency", options.no_latency,
                   "No clock reads: the cheapest mode, without times inside calls");
  command.add_flag("--no-follow", options.no_follow, "Leave descendants out");
  // Hidden: for tests of what happens when the kernel side is full.
  command.add_option("--room", options.room)->group("");
}

void add_verify_option(CLI::App& command, CountOptions& options) {
  command.add_flag(
      "--verify-counts", options.verify,
      "Compare the counts with the kernel's own, of /proc/PID/io and of switches; with "
      "--strict a difference exits with 3, too");
}

namespace {

std::pair<std::string, std::uint32_t> parse_room(const std::string& text) {
  const std::size_t equals = text.find('=');
  std::uint32_t entries = 0;
  const char* const end = text.data() + text.size();
  if (equals == std::string::npos ||
      std::from_chars(text.data() + equals + 1, end, entries).ptr != end || entries == 0)
    throw Error("--room '" + text + "': NAME=N is wanted", kExitUsage);
  return {text.substr(0, equals), entries};
}

}  // namespace

SessionOptions session_options(const CountOptions& count, const OutputOptions& output) {
  SessionOptions options;
  options.syscalls = count.syscalls;
  options.probes.latency = !count.no_latency;
  options.probes.follow_children = !count.no_follow;
  options.probes.verify = count.verify;
  options.probes.by_thread = output.by == "thread";
  for (const std::string& room : count.room) options.probes.room.insert(parse_room(room));
  return options;
}

}  // namespace zctrace
