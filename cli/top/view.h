// SPDX-License-Identifier: MIT
// What `zctrace top` draws: lines of styled text of a given size, before any terminal. Pure.
// All text from outside has been through printable().
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "cli/top/controls.h"

namespace zctrace {

enum class Style { plain, dim, bold, good, warning, reverse };

struct Span {
  std::string text;
  Style style = Style::plain;
};

struct Frame {
  std::vector<std::vector<Span>> lines;  // at most `height`, each at most `width` columns
  std::optional<std::size_t> cursor;     // column on the last line where text is typed
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
  bool all_ended = false;  // and nobody can come
};

// Also tells `controls` how many lines the table has.
Frame top_frame(TopControls& controls, const TopSurroundings& surroundings);

// At most five characters: "0", "0.5", "1234", "12.3k", "1.2M".
std::string compact_count(double count);
// The same in powers of 1024: "1023", "1.0K", "12.3M".
std::string compact_bytes(double bytes);
// Two or three digits and a unit: "999ns", "1.2us", "12ms", "3m20s", "5h03m".
std::string compact_ns(std::uint64_t ns);

}  // namespace zctrace
