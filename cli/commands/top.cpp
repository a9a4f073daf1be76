// SPDX-License-Identifier: MIT
// `zctrace top`: running processes, live, on the whole screen.
#include <chrono>
#include <memory>
#include <optional>

#include "cli/commands/action.h"
#include "cli/options/count_options.h"
#include "cli/options/help_formatter.h"
#include "cli/options/output_options.h"
#include "cli/options/target_options.h"
#include "cli/options/validators.h"
#include "cli/options/when_options.h"
#include "cli/top/live.h"
#include "collector/os/error.h"

namespace zctrace {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

struct TopOptions {
  TargetOptions targets;
  CountOptions count;
  std::optional<nanoseconds> interval;
  std::optional<nanoseconds> duration;
  std::string by = std::string(group_name(TopGroup::process));
  bool no_files = false;
};

constexpr nanoseconds kDefaultInterval = milliseconds(1000);

// Below this the screen shows noise and zctrace itself.
constexpr nanoseconds kShortestInterval = milliseconds(100);

// A screen shows few files and peers, and each interval needs a copy of what is remembered.
constexpr std::size_t kMostFlows = 4096;

int top(const TopOptions& options, const Targets& targets) {
  check_syscalls(options.count);  // usage errors come first
  SessionOptions session = session_options(options.count, OutputOptions{});
  session.probes.channels = session.probes.mapped = !options.no_files && options.count.duty.empty();
  session.max_flows = kMostFlows;
  LiveOptions live;
  live.observing = attach_options(options.targets, targets, session);
  live.observing.duty = duty_share(options.count);
  live.interval = options.interval.value_or(kDefaultInterval);
  live.duration = options.duration;
  live.cost = options.count.cost;
  live.group = parse_top_group(options.by).value();
  show_live(live);
  return kExitDone;
}

}  // namespace

void add_top_command(CLI::App& app, Action& chosen) {
  auto options = std::make_shared<TopOptions>();
  CLI::App* command =
      app.add_subcommand("top", "Show what running processes move, live, on the whole screen");
  add_target_options(*command, options->targets);
  add_end_option(*command, options->duration);
  add_duration_option(*command, "-i,--interval", options->interval,
                      "Update the screen every TIME, 100ms or more", kShortestInterval)
      ->default_str("1s")
      ->group("When");
  command
      ->add_option("--by", options->by,
                   "Show one line per process, name, systemd unit or "
                   "container; the key g changes it")
      ->type_name("WHAT")
      ->check(one_of({"process", "name", "unit", "container"}))
      ->capture_default_str()
      ->group("Output");
  command
      ->add_flag("--no-files", options->no_files,
                 "Do not count by file and peer (the keys f and p), which makes each call cheaper")
      ->group("Count");
  add_count_options(*command, options->count);
  add_cost_option(*command, options->count);
  add_duty_option(*command, options->count);
  add_profile_option(*command, options->count.profile);
  set_help(
      *command,
      {"[-p PID | -n GLOB | -G CGROUP | --unit NAME | -a] [OPTIONS]",
       {"Without a target it shows every process. Press q to quit, h to list the other keys."},
       {{"Exit status",
         {{"0", "Success"},
          {"1", "Failure"},
          {"2", "Usage error"},
          {"77", "This machine or user cannot observe; 'zctrace doctor' says why"}}}},
       {{"Watch every process", "sudo zctrace top"},
        {"Watch nginx and its workers, five times a second", "sudo zctrace top -n nginx -i 200ms"},
        {"Watch every process, one line for each name", "sudo zctrace top --by name"}}});
  command->callback([options, &chosen] {
    if (wants_syscall_list(options->count)) {
      chosen = print_syscall_list;
      return;
    }
    Targets targets = parse_targets(options->targets, false);
    if (targets.empty()) targets.all = true;
    chosen = [options, targets] { return top(*options, targets); };
  });
}

}  // namespace zctrace
