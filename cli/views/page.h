// SPDX-License-Identifier: MIT
// Text laid out for a terminal: titles, lists of facts, and grids in columns.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/views/cell.h"

namespace zctrace {

struct TableStyle {
  bool colour = false;
  bool unicode = false;
  std::size_t width = 0;  // columns; 0: no limit
};

// Below this many columns, words are abbreviated, too.
inline constexpr std::size_t kNarrowWidth = 64;

// Owns the text so far. All text that goes in has been through printable().
class Page {
 public:
  explicit Page(const TableStyle& style) : style_(style) {}

  void blank_line() { text_ += '\n'; }
  void title(const std::string& text);  // cut to one line
  // Cells that follow each other without a space.
  void line(const std::vector<Cell>& cells);
  // Items separated by commas, continued under the first one. Broken between items, inside
  // one only when it alone is wider than the line.
  void items(const std::vector<std::string>& items, std::string_view label = {},
             Tone tone = Tone::plain);
  void facts(const std::vector<Fact>& facts);
  // What does not fit the width is left out, columns without a figure but 0 first, then the least
  // important ones; digits stay. A line
  // below names what was left out. The legend explains the columns that are shown.
  void grid(const Grid& grid);
  void sections(const std::vector<Section>& sections);  // with an empty line between them

  std::string take() { return std::move(text_); }

 private:
  std::size_t prose_width() const;
  std::string painted(std::string_view text, Tone tone) const;

  TableStyle style_;
  std::string text_;
};

}  // namespace zctrace
