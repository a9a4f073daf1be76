// SPDX-License-Identifier: MIT
// Laying out the columns that fit.
#include "cli/top/table.h"

#include <fmt/format.h>

#include "cli/text/printable.h"
#include "cli/top/compact.h"
#include "cli/views/wording.h"

namespace zctrace {
namespace {

std::string_view mark_text(SortMark mark, bool unicode) {
  switch (mark) {
    case SortMark::descending: return unicode ? "▼" : "*";
    case SortMark::ascending: return unicode ? "▲" : "*";
    case SortMark::none: break;
  }
  return "";
}

}  // namespace

SortMark sort_mark(bool is_text, bool reversed) {
  return is_text == reversed ? SortMark::descending : SortMark::ascending;
}

std::size_t width_of(const std::vector<TopColumn>& columns) {
  std::size_t width = columns.empty() ? 0 : columns.size() - 1;
  for (const TopColumn& column : columns) width += column.width;
  return width;
}

void drop_until_fitting(std::vector<TopColumn>& columns, std::size_t width) {
  while (width_of(columns) > width) {
    const auto worst =
        std::max_element(columns.begin(), columns.end(),
                         [](const auto& a, const auto& b) { return a.rank < b.rank; });
    if (worst == columns.end() || worst->rank == 0) return;
    columns.erase(worst);
  }
}

// The mark is part of the title where there is space for it, else it takes the blank before.
Line header_line(const std::vector<TopColumn>& columns, std::size_t width, bool unicode) {
  LineWriter line(width, unicode);
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const TopColumn& column = columns[i];
    std::string title =
        display_width(column.title) <= column.width ? column.title : column.short_title;
    const std::string mark(mark_text(column.mark, unicode));
    const bool inside = display_width(title) + display_width(mark) <= column.width;
    if (inside) title = column.right_aligned ? mark + title : title + mark;
    const Style style = column.mark == SortMark::none ? Style::reverse : Style::bold;
    if (i > 0 && (inside || mark.empty()))
      line.add(" ", Style::reverse);
    else if (i > 0)
      line.add(mark, style);
    line.add(padded(title, column.width, column.right_aligned, unicode), style);
  }
  line.fill(Style::reverse);
  return line.take();
}

Line table_line(const std::vector<TopColumn>& columns, const std::vector<Span>& cells,
                std::size_t width, bool unicode, std::optional<Style> whole) {
  LineWriter line(width, unicode);
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const TopColumn& column = columns[i];
    if (i > 0) line.add(" ", whole.value_or(Style::plain));
    line.add(padded(cells[i].text, column.width, column.right_aligned, unicode),
             whole.value_or(cells[i].style));
  }
  if (whole == Style::reverse) line.fill(Style::reverse);
  return line.take();
}

std::string share_with_bar(std::optional<double> share, std::size_t width, bool unicode,
                           std::string_view bound) {
  if (!share) return "-";
  const std::string text = std::string(bound) + compact_share(*share);
  const std::size_t digits = bound.empty() ? 5 : 6;  // " 100%", " >=99%"
  if (width < digits + 3) return text;
  return bar(*share, width - digits, unicode) + fmt::format("{:>{}}", text, digits);
}

std::string zero_copy_share(const Delivered& delivered, std::size_t width, bool unicode) {
  return share_with_bar(delivered.zero_copy_share(), width, unicode,
                        delivered.zero_copy_is_bound() ? at_least(unicode) : "");
}

Span span_of(const Cell& cell) {
  switch (cell.tone) {
    case Tone::good: return {cell.text, Style::good};
    case Tone::warning: return {cell.text, Style::warning};
    case Tone::dim: return {cell.text, Style::dim};
    case Tone::plain: break;
  }
  return {cell.text, cell.text == "0" || cell.text == "0/0" ? Style::dim : Style::plain};
}

}  // namespace zctrace
