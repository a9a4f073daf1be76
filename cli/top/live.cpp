// SPDX-License-Identifier: MIT
// Samples the counts at each interval, and draws after each key and each sample.
#include "cli/top/live.h"

#include <unistd.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "cli/output/write.h"
#include "cli/text/printable.h"
#include "cli/top/controls.h"
#include "cli/top/model.h"
#include "cli/top/screen.h"
#include "cli/top/view.h"
#include "collector/observe/preflight.h"
#include "collector/os/event_loop.h"
#include "collector/os/signals.h"

namespace zctrace {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

// The first figures come sooner than the interval says.
constexpr nanoseconds kFirstInterval = milliseconds(300);

// With --duty: how often to look whether a slice has ended.
constexpr nanoseconds kSlicePause = milliseconds(50);

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

}  // namespace

void show_live(const LiveOptions& options) {
  TopScreen::require_terminal();
  require_observation();
  Signals signals;
  AttachSession session(options.observing);
  session.drop_privileges();

  TopControls controls;
  controls.group_by(options.group);
  TopModel model;
  OwnerCache owners;
  const auto show = [&](nanoseconds elapsed) {
    Report report = session.take_counts();
    owners.update(report.processes);
    std::optional<CostReading> cost;
    if (options.cost) cost = session.cost();
    controls.show(model.add(std::move(report), elapsed, owners, std::move(cost)));
  };
  TopSurroundings around;
  around.targets = printable(description(options.observing.targets), false);
  around.interval_s = std::chrono::duration<double>(options.interval).count();
  std::optional<TopScreen> screen(std::in_place);
  around.unicode = screen->unicode();

  EventLoop loop(signals);
  Frame last;
  bool out_of_time = false;
  if (options.duration)
    loop.at(EventLoop::after(*options.duration), [&] {
      out_of_time = true;
      loop.stop();
    });
  show(nanoseconds(0));
  auto sampled = EventLoop::Clock::now();
  auto next_sample = sampled + std::min(options.interval, kFirstInterval);
  const auto pause = [&](EventLoop::Clock::time_point now) {
    const auto due = std::min<nanoseconds>(next_sample - now, session.poll_interval());
    // It may be overdue, until a slice ends.
    return session.covered() ? std::max<nanoseconds>(due, kSlicePause) : due;
  };
  session.slice_in(loop);
  auto covered = session.covered();
  loop.repeat(pause(sampled), [&] {
    const bool sliced = covered.has_value();
    // What a slice has not shown yet cannot be in an interval.
    const bool due =
        EventLoop::Clock::now() >= next_sample && (!sliced || session.covered() != covered);
    session.poll();
    // The counts are those of this moment: reading a thousand tasks takes a while.
    const auto now = EventLoop::Clock::now();
    if (due) {
      if (sliced)
        show(*session.covered() - *std::exchange(covered, session.covered()));
      else
        show(now - std::exchange(sampled, now));
      next_sample = now + options.interval;
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
}

}  // namespace zctrace
