// SPDX-License-Identifier: MIT
// Tables of `top`: columns of a report's table, each with a fixed width, so that nothing moves
// from sample to sample. Pure.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/top/line.h"
#include "cli/views/columns.h"
#include "collector/model/report.h"

namespace zctrace {

// From this width of the screen on, columns are wide and titles whole.
inline constexpr std::size_t kWideScreen = 112;

// The column of verdicts keeps "copied by the kernel" and needs no more than "copied: the device
// cannot gather".
inline constexpr std::size_t kLeastVerdictWidth = 20;
inline constexpr std::size_t kMostVerdictWidth = 32;

enum class SortMark { none, descending, ascending };

// Of the column that the lines are sorted by: numbers begin with the greatest, text with the first.
SortMark sort_mark(bool is_text, bool reversed);

struct TopColumn {
  std::string_view column;  // its title in the report's table
  std::string title;
  std::string short_title;  // where the column is narrower than the title
  std::size_t width = 0;
  bool right_aligned = true;
  unsigned rank = 0;  // as Column::rank
  SortMark mark = SortMark::none;
};

// Columns and the blanks between them.
std::size_t width_of(const std::vector<TopColumn>& columns);
// Without the least important columns, as many as it takes.
void drop_until_fitting(std::vector<TopColumn>& columns, std::size_t width);

Line header_line(const std::vector<TopColumn>& columns, std::size_t width, bool unicode);
// A cell for each column; `whole`: the style of all of them.
Line table_line(const std::vector<TopColumn>& columns, const std::vector<Span>& cells,
                std::size_t width, bool unicode, std::optional<Style> whole);

// "██░░  50%", where it is wide enough for a bar. `bound`: what precedes a share that is a bound.
std::string share_with_bar(std::optional<double> share, std::size_t width, bool unicode,
                           std::string_view bound = "");
// Of the bytes that no CPU copied.
std::string zero_copy_share(const Delivered& delivered, std::size_t width, bool unicode);

Span span_of(const Cell& cell);

// What the column of a report's table shows of a record.
template <typename Record>
Span cell_of(const Columns<Record>& columns, std::string_view title, const Record& record) {
  const auto found = std::find_if(columns.begin(), columns.end(), [title](const auto& column) {
    return column.column.title == title;
  });
  return found == columns.end() ? Span{} : span_of(found->cell(record));
}

}  // namespace zctrace
