// SPDX-License-Identifier: MIT
// The same table as without --live, cut to the size of the screen.
#include "cli/top/fuse_live.h"

#include <unistd.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "cli/text/printable.h"
#include "cli/top/screen.h"
#include "cli/top/view.h"
#include "cli/views/fuse/fuse_view.h"
#include "collector/os/event_loop.h"
#include "collector/os/split.h"

namespace zctrace {
namespace {

using std::chrono::nanoseconds;

Frame frame_of(const fusewatch::FuseActivity& activity, const FrameSize& size, bool unicode) {
  Frame frame;
  TableStyle style;
  style.unicode = unicode;
  style.width = size.width;
  const std::string table = fuse_table(activity, style);
  for (const std::string_view line : split(table, '\n')) {
    if (frame.lines.size() + 1 >= size.height) break;
    frame.lines.push_back({{cut_to_width(line, size.width, unicode), Style::plain}});
  }
  while (frame.lines.size() + 1 < size.height) frame.lines.emplace_back();
  LineWriter keys(size.width, unicode);
  keys.add(" q quits", Style::reverse);
  keys.fill(Style::reverse);
  frame.lines.push_back(keys.take());
  return frame;
}

bool is_quit(const KeyPress& key) {
  return key.kind == KeyPress::escape ||
         (key.kind == KeyPress::character && (key.code == U'q' || key.code == U'Q'));
}

}  // namespace

void show_fuse_live(fusewatch::FuseWatch& watch, Signals& signals, nanoseconds interval,
                    std::optional<nanoseconds> duration) {
  // The first figures come sooner than the interval says.
  constexpr nanoseconds kFirstInterval = std::chrono::milliseconds(300);
  TopScreen screen;
  EventLoop loop(signals);
  fusewatch::FuseActivity shown = watch.take_interval(fusewatch::FuseWatch::Ended::keep);
  if (duration) loop.at(EventLoop::after(*duration), [&] { loop.stop(); });
  loop.repeat(std::min(interval, kFirstInterval), [&] {
    shown = watch.take_interval(fusewatch::FuseWatch::Ended::keep);
    if (watch.is_unmounted()) loop.stop();
    return interval;
  });
  loop.on_ready(STDIN_FILENO, [&](short events) {
    if (TopScreen::is_gone(events)) loop.stop();
  });
  loop.set_waiting_mask(screen.waiting_mask());
  loop.before_waiting([&] {
    for (KeyPress key = screen.take(); key.kind != KeyPress::none; key = screen.take())
      if (is_quit(key)) loop.stop();
    screen.draw(frame_of(shown, screen.size(), screen.unicode()));
  });
  loop.run();
}

}  // namespace zctrace
