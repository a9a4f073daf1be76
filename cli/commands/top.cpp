// SPDX-License-Identifier: MIT
// `zctrace top`: running processes, live, on the whole screen.
#include <chrono>
#include <memory>
#include <optional>

#include <fmt/format.h>

#include "cli/commands/action.h"
#include "cli/options/count_options.h"
#include "cli/options/help_formatter.h"
#include "cli/options/output_options.h"
#include "cli/options/target_options.h"
#include "cli/options/validators.h"
#include "cli/text/printable.h"
#include "cli/top/controls.h"
#include "cli/top/model.h"
#include "cli/top/screen.h"
#include "cli/top/view.h"
#include "collector/observe/attach_session.h"
#include "collector/observe/preflight.h"
#include "collector/os/capabilities.h"
#include "collector/os/error.h"
#include "collector/os/signals.h"

namespace zctrace {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::steady_clock;

struct TopOptions {
  TargetOptions targets;
  CountOptions count;
  std::optional<nanoseconds> interval;
  std::optional<nanoseconds> duration;
};

constexpr nanoseconds kDefaultInterval = milliseconds(1000);

// Below this the screen shows noise and zctrace itself.
constexpr nanoseconds kShortestInterval = milliseconds(100);
// The first figures come sooner than the interval says.
constexpr nanoseconds kFirstInterval = milliseconds(300);

std::string described(const Targets& targets) {
  std::string words = targets.all ? "every process" : "";
  const auto add = [&words](const std::string& word) {
    words += (words.empty() ? "" : ", ") + word;
  };
  for (const pid_t pid : targets.pids) add(fmt::format("pid {}", pid));
  for (const std::string& name : targets.names) add("name " + printable(name, false));
  for (const std::string& path : targets.cgroups) add("cgroup " + printable(path, false));
  for (const std::string& unit : targets.units) add("unit " + printable(unit, false));
  return words;
}

// Reads the counts when it is time.
class Sampler {
 public:
  Sampler(Watch& watch, TopControls& controls, nanoseconds interval)
      : watch_(watch), controls_(controls), interval_(interval), last_(steady_clock::now()) {
    controls_.show(model_.add(watch_.take_report(), nanoseconds(0)));
    next_sample_ = last_ + std::min(interval_, kFirstInterval);
    next_poll_ = last_ + watch_.poll_interval();
  }

  steady_clock::time_point next() const { return std::min(next_sample_, next_poll_); }

  void catch_up() {
    const auto now = steady_clock::now();
    if (now < next()) return;
    watch_.poll();
    // The counts are of now; the reading of a thousand tasks takes its time.
    const auto read = steady_clock::now();
    next_poll_ = read + watch_.poll_interval();
    if (now < next_sample_) return;
    controls_.show(model_.add(watch_.take_report(), read - last_));
    last_ = read;
    next_sample_ = read + interval_;
  }

 private:
  Watch& watch_;
  TopControls& controls_;
  TopModel model_;
  nanoseconds interval_;
  steady_clock::time_point last_;
  steady_clock::time_point next_sample_;
  steady_clock::time_point next_poll_;
};

int top(const TopOptions& options, const Targets& targets, nanoseconds interval,
        std::optional<nanoseconds> duration) {
  const SyscallTable selection_check(options.count.syscalls);  // usage errors come first
  TopScreen::require_terminal();
  require_observation();
  WatchOptions watch_options;
  watch_options.targets = targets;
  watch_options.wait = options.targets.wait;
  watch_options.session = session_options(options.count, OutputOptions{});
  Signals signals;
  Watch watch(watch_options);
  drop_capabilities(true);

  TopControls controls;
  Sampler sampler(watch, controls, interval);
  const auto end = duration ? steady_clock::now() + *duration : steady_clock::time_point::max();
  TopSurroundings around;
  around.targets = described(targets);
  around.interval_s = std::chrono::duration<double>(interval).count();

  TopScreen screen;
  around.unicode = screen.unicode();
  while (steady_clock::now() < end) {
    sampler.catch_up();
    around.size = screen.size();
    around.all_ended = watch.ended();
    screen.draw(top_frame(controls, around));
    const bool there =
        screen.wait(signals.fd(), std::min(end, sampler.next()) - steady_clock::now());
    if (!there || signals.take().number != 0) break;
    for (KeyPress key = screen.take(); key.kind != KeyPress::none; key = screen.take())
      if (!controls.press(key)) return kExitDone;
  }
  return kExitDone;
}

}  // namespace

void add_top_command(CLI::App& app, Action& chosen) {
  auto options = std::make_shared<TopOptions>();
  CLI::App* command =
      app.add_subcommand("top", "Show what running processes move, live, on the whole screen");
  add_target_options(*command, options->targets);
  add_duration_option(*command, "-d,--duration", options->duration,
                      "Stop after TIME: seconds, or with a unit (e.g. 500ms, 10s, 5m)")
      ->group("When");
  add_duration_option(*command, "-i,--interval", options->interval,
                      "Update the screen every TIME, 100ms or more", kShortestInterval)
      ->default_str("1s")
      ->group("When");
  add_count_options(*command, options->count);
  set_help(
      *command,
      {"[-p PID | -n GLOB | -G CGROUP | --unit NAME | -a] [OPTIONS]",
       {"Without a target it shows every process. Press q to quit, h for the other keys."},
       {{"Exit status",
         {{"0", "Success"},
          {"1", "Failure"},
          {"2", "Usage error"},
          {"77", "This machine or user cannot observe; 'zctrace doctor' says why"}}}},
       {{"Watch every process", "sudo zctrace top"},
        {"Watch nginx and its workers, five times a second", "sudo zctrace top -n nginx -i 200ms"},
        {"Watch the processes of a container or slice",
         "sudo zctrace top -G system.slice/docker.service"}}});
  command->callback([options, &chosen] {
    if (wants_syscall_list(options->count)) {
      chosen = print_syscall_list;
      return;
    }
    Targets targets = parse_targets(options->targets, false);
    if (targets.empty()) targets.all = true;
    chosen = [options, targets] {
      return top(*options, targets, options->interval.value_or(kDefaultInterval),
                 options->duration);
    };
  });
}

}  // namespace zctrace
