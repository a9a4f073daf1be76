// SPDX-License-Identifier: MIT
// The rows of the process that is open.
#include <algorithm>

#include "cli/text/printable.h"
#include "cli/top/lists.h"
#include "cli/top/table.h"
#include "cli/views/report/cpu_profile_table.h"
#include "cli/views/report/row_table.h"

namespace zctrace {
namespace {

class RowList {
 public:
  RowList(const TopControls& controls, const CompactNumerals& numerals, const ListArea& area)
      : controls_(controls),
        area_(area),
        wide_(area.width >= kWideScreen),
        report_columns_(row_columns(options(controls, numerals, area))),
        columns_(columns()) {}

  Line header() const { return header_line(columns_, area_.width, area_.unicode); }

  Line line(const Row& row) const {
    std::vector<Span> cells;
    for (const TopColumn& column : columns_) cells.push_back(cell(row, column));
    return table_line(columns_, cells, area_.width, area_.unicode, std::nullopt);
  }

 private:
  static RowColumnOptions options(const TopControls& controls, const CompactNumerals& numerals,
                                  const ListArea& area) {
    RowColumnOptions options;
    options.wording.unicode = area.unicode;
    options.wording.narrow = true;
    options.wording.latency = controls.sample().latency;
    options.verdicts = true;
    options.numerals = &numerals;
    return options;
  }

  void add(std::optional<RowSort> sort, TopColumn column) {
    if (sort == controls_.row_sort()) {
      const bool is_text = controls_.row_sort() == RowSort::syscall;
      column.mark = sort_mark(is_text, controls_.reversed());
    }
    added_.push_back(std::move(column));
  }

  std::vector<TopColumn> columns() {
    const std::size_t number = wide_ ? 10 : 7;
    add(RowSort::syscall, {"SYSCALL", "SYSCALL", "SYSCALL", area_.width < 64 ? 10U : 16U, false});
    add(std::nullopt, {"FLOW", "FLOW", "FLOW", 13, false, 2});
    add(RowSort::calls, {"CALLS", controls_.rate("CALLS"), "CALLS", number});
    add(RowSort::bytes, {"BYTES", controls_.rate("BYTES"), "BYTES", number});
    add(std::nullopt, {"COPIES", "COPIES", "COPY", wide_ ? 7U : 4U, true, 1});
    add(std::nullopt, {"AVG/CALL", "AVG", "AVG", 6, true, 9});
    if (controls_.sample().latency) {
      add(RowSort::p50, {"P50", "P50", "P50", 6, true, 4});
      add(RowSort::p99, {"P99", "P99", "P99", 6, true, 3});
      add(RowSort::off_cpu, {kOffCpuShare, "OFF-CPU", "OFF", 7, true, 5});
    }
    add(RowSort::switches,
        {kSwitchesTitle, controls_.rate("SWITCHES"), "SWITCHES", wide_ ? 12U : 9U, true, 10});
    add(RowSort::errors, {"ERRORS", controls_.rate("ERRORS"), "ERR", wide_ ? 9U : 5U, true, 6});
    add(std::nullopt,
        {kVerdictTitle, std::string(kVerdictTitle), "HOW", kLeastVerdictWidth, false, 8});
    if (profiled()) add(std::nullopt, {kMostCpu, "MOST CPU IN", "MOST CPU", 15, false, 7});
    drop_until_fitting(added_, area_.width);
    widen_verdicts();
    return std::move(added_);
  }

  Span cell(const Row& row, const TopColumn& column) const {
    // The report's table shows this as a time. Per second it would say little, so it is a share.
    if (column.column == kOffCpuShare) {
      const auto share = off_cpu_share(row);
      return {share ? compact_share(*share) : "-"};
    }
    if (column.column == kMostCpu) {
      const std::string largest = largest_class(row.cpu);
      return {largest.empty() ? "-" : largest};
    }
    return cell_of(report_columns_, column.column, RowLine{nullptr, &row});
  }

  bool profiled() const {
    return std::any_of(controls_.rows().begin(), controls_.rows().end(),
                       [](const Row* row) { return row->cpu.hz != 0; });
  }

  // What is left goes to the verdicts.
  void widen_verdicts() {
    const std::size_t spare = area_.width - std::min(area_.width, width_of(added_));
    for (TopColumn& column : added_)
      if (column.column == kVerdictTitle)
        column.width = std::min(column.width + spare, kMostVerdictWidth);
  }

  static constexpr std::string_view kMostCpu = "MOST-CPU";
  static constexpr std::string_view kOffCpuShare = "OFF-CPU%";

  const TopControls& controls_;
  const ListArea& area_;
  bool wide_;
  Columns<RowLine> report_columns_;
  std::vector<TopColumn> added_;
  std::vector<TopColumn> columns_;
};

}  // namespace

std::vector<Line> row_list(const TopControls& controls, const CompactNumerals& numerals,
                           const ListArea& area) {
  const RowList list(controls, numerals, area);
  std::vector<Line> lines;
  if (area.header) lines.push_back(list.header());
  const auto& rows = controls.rows();
  const auto add_note = [&](const std::string& text) {
    lines.push_back({{cut_to_width(text, area.width, area.unicode), Style::dim}});
  };
  if (rows.empty())
    add_note(controls.totals() ? "no syscall was observed"
                               : "no syscall in this interval; t shows the totals");
  const std::size_t end = std::min(rows.size(), controls.first_line() + area.height);
  for (std::size_t i = controls.first_line(); i < end; ++i) lines.push_back(list.line(*rows[i]));
  // Where there is space: the command that these rows belong to.
  const std::string command = shell_words(controls.opened()->total->argv, area.unicode);
  if (end == rows.size() && rows.size() + 2 <= area.height && !command.empty()) {
    lines.emplace_back();
    add_note(command);
  }
  return lines;
}

}  // namespace zctrace
