// SPDX-License-Identifier: MIT
// `zctrace top`: running processes, live, on the whole screen.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "cli/commands/action.h"
#include "cli/options/count_options.h"
#include "cli/options/help_formatter.h"
#include "cli/options/output_options.h"
#include "cli/options/target_options.h"
#include "cli/options/validators.h"
#include "cli/output/write.h"
#include "cli/text/printable.h"
#include "cli/top/controls.h"
#include "cli/top/model.h"
#include "cli/top/screen.h"
#include "cli/top/view.h"
#include "collector/observe/attach_session.h"
#include "collector/observe/preflight.h"
#include "collector/os/capabilities.h"
#include "collector/os/error.h"
#include "collector/os/event_loop.h"
#include "collector/os/signals.h"

namespace zctrace {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

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

// The frame without colours and without its last line, which names keys, for the terminal that top
// leaves behind.
std::string plain_text(const Frame& frame) {
  std::string text;
  std::size_t whole = 0;  // without the empty lines at the end
  for (std::size_t y = 0; y + 1 < frame.lines.size(); ++y) {
    for (const Span& span : frame.lines[y]) text += span.text;
    if (!frame.lines[y].empty()) whole = text.size();
    text += '\n';
  }
  text.resize(whole);
  return text + '\n';
}

int top(const TopOptions& options, const Targets& targets, nanoseconds interval,
        std::optional<nanoseconds> duration) {
  const SyscallTable selection_check(options.count.syscalls);  // usage errors come first
  TopScreen::require_terminal();
  require_observation();
  AttachSessionOptions observing;
  observing.targets = targets;
  observing.wait = options.targets.wait;
  observing.session = session_options(options.count, OutputOptions{});
  Signals signals;
  AttachSession session(observing);
  drop_capabilities(Privilege::inspect_processes);

  TopControls controls;
  TopModel model;
  TopSurroundings around;
  around.targets = printable(description(targets), false);
  around.interval_s = std::chrono::duration<double>(interval).count();
  std::optional<TopScreen> screen(std::in_place);
  around.unicode = screen->unicode();

  EventLoop loop(signals);
  Frame last;
  bool out_of_time = false;
  if (duration)
    loop.at(EventLoop::after(*duration), [&] {
      out_of_time = true;
      loop.stop();
    });
  controls.show(model.add(session.take_counts(), nanoseconds(0)));
  auto sampled = EventLoop::Clock::now();
  auto next_sample = sampled + std::min(interval, kFirstInterval);
  const auto pause = [&](EventLoop::Clock::time_point now) {
    return std::min<nanoseconds>(next_sample - now, session.poll_interval());
  };
  loop.repeat(pause(sampled), [&] {
    const bool due = EventLoop::Clock::now() >= next_sample;
    session.poll();
    // The counts are of now; reading a thousand tasks takes its time.
    const auto now = EventLoop::Clock::now();
    if (due) {
      controls.show(model.add(session.take_counts(), now - std::exchange(sampled, now)));
      next_sample = now + interval;
    }
    return pause(now);
  });
  loop.on_ready(STDIN_FILENO, [&](short events) {
    if (TopScreen::is_gone(events)) loop.stop();
  });
  loop.set_waiting_mask(screen->waiting_mask());
  loop.before_waiting([&] {
    for (KeyPress key = screen->take(); key.kind != KeyPress::none; key = screen->take())
      if (!controls.press(key)) loop.stop();
    around.size = screen->size();
    around.all_ended = session.ended();
    last = top_frame(controls, around);
    screen->draw(last);
  });
  loop.run();
  screen.reset();
  // What a script or a person waited for stays on the terminal.
  if (out_of_time) write_all(STDOUT_FILENO, plain_text(last), "to standard output");
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
