// SPDX-License-Identifier: MIT
// What `zctrace top` draws: lines of styled text of a given size, before any terminal. Pure.
// All text from outside has been through printable().
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "cli/top/controls.h"
#include "cli/top/line.h"

namespace zctrace {

struct Frame {
  std::vector<Line> lines;            // at most `height`, each at most `width` columns
  std::optional<std::size_t> cursor;  // column on the last line where text is typed
};

struct FrameSize {
  std::size_t width = 80;
  std::size_t height = 24;
};

struct TopSurroundings {
  FrameSize size;
  bool unicode = false;
  std::string targets;     // what was asked for, as given
  double interval_s = 1;   // as asked for
  bool all_ended = false;  // and no new process can be observed
};

// Also tells `controls` how many lines the table has.
Frame top_frame(TopControls& controls, const TopSurroundings& surroundings);

}  // namespace zctrace
