// SPDX-License-Identifier: MIT
// Lines of styled text that never grow wider than the screen. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace zctrace {

enum class Style { plain, dim, bold, good, warning, reverse };

struct Span {
  std::string text;
  Style style = Style::plain;
};

using Line = std::vector<Span>;

// Cut or filled up to `width` columns; `right`: filled on the left.
std::string padded(const std::string& text, std::size_t width, bool right, bool unicode);

class LineWriter {
 public:
  LineWriter(std::size_t width, bool unicode) : left_(width), unicode_(unicode) {}

  // As much of it as fits.
  void add(const std::string& text, Style style = Style::plain);
  // All of it or nothing, two blanks after what is there. Returns whether it fits.
  bool add_item(const Line& item);
  // Blanks up to the end of the line.
  void fill(Style style);
  Line take() { return std::move(line_); }

 private:
  std::size_t left_;
  bool unicode_;
  Line line_;
};

}  // namespace zctrace
