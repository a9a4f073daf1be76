// SPDX-License-Identifier: MIT
// Cutting and padding by display width.
#include "cli/top/line.h"

#include <algorithm>

#include "cli/text/printable.h"

namespace zctrace {

std::string padded(const std::string& text, std::size_t width, bool right, bool unicode) {
  const std::string cut = cut_to_width(text, width, unicode);
  const std::string blanks(width - std::min(width, display_width(cut)), ' ');
  return right ? blanks + cut : cut + blanks;
}

void LineWriter::add(const std::string& text, Style style) {
  const std::string cut = cut_to_width(text, left_, unicode_);
  left_ -= display_width(cut);
  if (!cut.empty()) line_.push_back({cut, style});
}

bool LineWriter::add_item(const Line& item) {
  std::size_t width = line_.empty() ? 0 : 2;
  for (const Span& span : item) width += display_width(span.text);
  if (width > left_) return false;
  if (!line_.empty()) add("  ");
  for (const Span& span : item) add(span.text, span.style);
  return true;
}

void LineWriter::fill(Style style) {
  if (left_ > 0) add(std::string(left_, ' '), style);
}

}  // namespace zctrace
