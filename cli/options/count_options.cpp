// SPDX-License-Identifier: MIT
// Turns options into the settings of a session.
#include "cli/options/count_options.h"

#include <unistd.h>

#include <charconv>
#include <cstdint>
#include <utility>

#include <fmt/format.h>

#include "cli/options/help_formatter.h"
#include "cli/options/validators.h"
#include "cli/output/write.h"
#include "cli/text/suggestion.h"
#include "cli/text/units.h"
#include "cli/text/wrap.h"
#include "collector/observe/profile/sampler.h"
#include "collector/observe/stacks/stack_reader.h"
#include "collector/observe/syscall_table.h"
#include "collector/os/caller.h"
#include "collector/os/error.h"

namespace zctrace {

void add_count_options(CLI::App& command, CountOptions& options) {
  constexpr const char* kGroup = "What to count";
  command
      .add_option("-e,--syscalls", options.syscalls,
                  "Give each of these syscalls a row of its own: names, %copy, %zerocopy, %io "
                  "and %all, separated by commas; 'list' prints them")
      ->check(offers({",", "%copy", "%zerocopy", "%io", "%all", "@syscall", "list"}))
      ->type_name("LIST")
      ->capture_default_str()
      ->group(kGroup);
  CLI::Option* const timing =
      command
          .add_option(
              "--timing", options.timing,
              "Time all calls, none, or adaptive: every call until a row has had 4096, then "
              "one in 16 chosen at random, from which the time of the others is estimated")
          ->check(one_of({"adaptive", "all", "none"}))
          ->type_name("WHEN")
          ->capture_default_str()
          ->group(kGroup);
  command.add_flag("--no-latency", options.no_latency, "Short for --timing none; costs least")
      ->excludes(timing)
      ->group(kGroup);
  command.add_flag("--no-follow", options.no_follow, "Do not observe descendants")->group(kGroup);
  // Hidden: for tests of what happens when the kernel side is full.
  command.add_option("--room", options.room)->group("");
}

void add_verify_option(CLI::App& command, CountOptions& options) {
  command
      .add_flag("--verify-counts", options.verify,
                "Compare the counts with the kernel's own (/proc/PID/io, context switches); with "
                "--strict, exit with status 3 if they differ")
      ->group("What to count");
}

void add_cost_option(CLI::App& command, CountOptions& options) {
  command
      .add_flag("--cost", options.cost,
                "Show how long zctrace's BPF programs run; the kernel measures it (CAP_SYS_ADMIN), "
                "which adds tens of ns to each run of every BPF program of the machine")
      ->group("What to count");
}

void add_duty_option(CLI::App& command, CountOptions& options) {
  command
      .add_option("--duty", options.duty,
                  "Observe only PERCENT of the time, in slices at random times, and estimate the "
                  "counts from these: between slices no system call pays for it. Implies "
                  "--timing none (1% to 90%, e.g. 10%)")
      ->type_name("PERCENT")
      ->group("What to count");
}

double duty_share(const CountOptions& options) {
  if (options.duty.empty()) return 0;
  std::string_view text = options.duty;
  if (text.ends_with('%')) text.remove_suffix(1);
  double percent = 0;
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, percent);
  if (parsed.ec != std::errc() || parsed.ptr != end || !(percent >= 1 && percent <= 90))
    throw Error("--duty: invalid share '" + options.duty + "': must be 1% to 90%", kExitUsage);
  return percent / 100;
}

void refuse_with_duty(const CountOptions& options, bool given, const std::string& option,
                      const char* why) {
  if (given && !options.duty.empty())
    throw Error("--duty and " + option + " cannot be combined: " + why, kExitUsage);
}

void check_syscalls(const CountOptions& options) {
  try {
    syscall_names(options.syscalls);
  } catch (const UnknownSyscall& error) {
    std::vector<std::string> known = syscall_names("%all");
    known.insert(known.end(), {"%copy", "%zerocopy", "%io", "%all", "list"});
    throw Error(error.what() + suggestion(error.name(), known), kExitUsage);
  }
}

void add_profile_option(CLI::App& command, std::string& profile, const std::string& group) {
  command
      .add_flag(
          fmt::format("--profile{{{}}}", kDefaultProfileHz), profile,
          fmt::format("Sample what each row spends CPU time on; --profile=HZ sets the rate per "
                      "second of CPU time (1 to {1}; default: {0})",
                      kDefaultProfileHz, kHighestProfileHz))
      ->group(group);
}

unsigned profile_hz(const std::string& profile) {
  if (profile.empty()) return 0;
  unsigned hz = 0;
  const char* const end = profile.data() + profile.size();
  const auto parsed = std::from_chars(profile.data(), end, hz);
  const bool in_range = parsed.ec == std::errc() && hz >= 1 && hz <= kHighestProfileHz;
  if (parsed.ptr != end || !in_range)
    throw Error(fmt::format("--profile: invalid rate '{}': must be 1 to {}, and at most the "
                            "kernel's limit (kernel.perf_event_max_sample_rate)",
                            profile, kHighestProfileHz),
                kExitUsage);
  return hz;
}

bool wants_syscall_list(const CountOptions& options) { return options.syscalls == "list"; }

int print_syscall_list() {
  const std::size_t width = text_width(STDOUT_FILENO);
  struct SyscallGroup {
    const char* name;
    const char* meaning;
  };
  constexpr SyscallGroup kGroups[] = {
      {"%copy", "calls that copy bytes through user space"},
      {"%zerocopy", "calls that move bytes inside the kernel, or lend pages to it"},
      {"%io", "%copy, %zerocopy, mmap, munmap, and calls that wait (the default)"},
      {"%all", "every syscall of this architecture"},
  };
  std::string text;
  for (const SyscallGroup& group : kGroups) {
    text += std::string(text.empty() ? "" : "\n") + group.name + ": " + group.meaning + "\n";
    std::string names(1, ' ');
    for (const std::string& name : syscall_names(group.name)) names += " " + name;
    text += wrapped(names, width, 2) + "\n";
  }
  write_all(STDOUT_FILENO, text, "to standard output");
  return kExitDone;
}

Timing timing_of(const CountOptions& options) {
  if (!options.duty.empty()) return Timing::none;
  if (options.no_latency || options.timing == "none") return Timing::none;
  return options.timing == "all" ? Timing::all : Timing::adaptive;
}

std::pair<std::string, std::uint32_t> parse_room(const std::string& text) {
  const std::size_t equals = text.find('=');
  std::uint32_t entries = 0;
  const char* const end = text.data() + text.size();
  if (equals == std::string::npos ||
      std::from_chars(text.data() + equals + 1, end, entries).ptr != end || entries == 0)
    throw Error("--room: invalid value '" + text + "'; give NAME=N", kExitUsage);
  return {text.substr(0, equals), entries};
}

namespace {

// 0: no stacks are wanted.
std::uint64_t stack_bytes(const OutputOptions& output) {
  if (output.stacks.empty() && !output.stacks_every.empty())
    throw Error("--stacks-every needs --stacks FILE", kExitUsage);
  if (output.stacks.empty()) return 0;
  if (output.stacks_every.empty()) return kDefaultStackBytes;
  const std::uint64_t every = parse_size(output.stacks_every);
  if (every < kLeastStackBytes || every > kMostStackBytes)
    throw Error("--stacks-every: '" + output.stacks_every + "' is not a size from 4K to 1G",
                kExitUsage);
  return every;
}

// What slices cannot count, or what cannot say that it is an estimate.
void check_duty(const CountOptions& count, const OutputOptions& output) {
  duty_share(count);
  const auto refuse = [&count](bool given, const std::string& option, const char* why) {
    refuse_with_duty(count, given, option, why);
  };
  constexpr const char* kCut = "a call may be longer than a slice, so it has no time";
  constexpr const char* kExact = "it needs every call, and --duty observes slices of the time";
  constexpr const char* kUnmarked =
      "it would show estimates as exact; use the table, --json or --markdown";
  refuse(count.timing == "all", "--timing all", kCut);
  refuse(!count.profile.empty(), "--profile", kCut);
  refuse(count.verify, "--verify-counts", kExact);
  refuse(count.advice.wanted(), "--advise", kExact);
  refuse(!output.stacks.empty(), "--stacks", kExact);
  const bool by_channel = output.by == "file" || output.by == "peer" || output.by == "port";
  refuse(by_channel, "--by " + output.by, kExact);
  refuse(!output.csv.empty(), "--csv", kUnmarked);
  refuse(!output.html.empty(), "--html", kUnmarked);
}

}  // namespace

SessionOptions session_options(const CountOptions& count, const OutputOptions& output) {
  SessionOptions options;
  check_duty(count, output);
  options.syscalls = count.syscalls;
  options.probes.latency = timing_of(count) != Timing::none;
  options.probes.adaptive = timing_of(count) == Timing::adaptive;
  options.probes.follow_children = !count.no_follow;
  options.probes.verify = count.verify;
  options.probes.run_times = count.cost;
  options.probes.profile_hz = profile_hz(count.profile);
  // The program at entry notes which call is in flight.
  if (options.probes.profile_hz != 0 && !options.probes.latency)
    throw Error(
        "--profile and --timing none (--no-latency) cannot be combined: without the time, zctrace "
        "does not "
        "note which call is in flight",
        kExitUsage);
  options.probes.by_thread = output.by == "thread";
  options.probes.relays = count.advice.wanted();
  options.probes.channels =
      output.by == "file" || output.by == "peer" || output.by == "port" || count.advice.wanted();
  options.probes.stack_bytes = stack_bytes(output);
  options.probes.mapped = options.probes.channels;
  options.probes.new_tasks.user = confined_user();
  options.probes.new_tasks.own_helpers = true;
  for (const std::string& room : count.room) options.probes.room.insert(parse_room(room));
  return options;
}

}  // namespace zctrace
