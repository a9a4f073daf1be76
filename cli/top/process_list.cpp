// SPDX-License-Identifier: MIT
// The table of processes, or of groups of them.
#include <algorithm>
#include <initializer_list>
#include <utility>

#include "cli/text/printable.h"
#include "cli/top/lists.h"
#include "cli/top/table.h"
#include "cli/views/report/process_table.h"
#include "cli/views/report/row_table.h"

namespace zctrace {
namespace {

constexpr std::size_t kNameWidth = 15;  // a comm, when nothing in it is escaped
constexpr std::size_t kMinNameWidth = 8;
constexpr std::size_t kGroupNameWidth = 40;  // a unit
constexpr std::size_t kMinGroupNameWidth = 16;
constexpr std::size_t kMinCommandWidth = 16;

// Of the verdicts of a process, that of most bytes; but first those that it did not ask for.
Verdict telling_verdict(const std::vector<Row>& rows) {
  const Row* telling = nullptr;
  const auto weight = [](const Row& row) {
    return std::pair(is_not_as_asked(row.verdict), row.bytes);
  };
  for (const Row& row : rows)
    if (row.verdict != Verdict::none && (telling == nullptr || weight(*telling) < weight(row)))
      telling = &row;
  return telling == nullptr ? Verdict::none : telling->verdict;
}

class ProcessList {
 public:
  ProcessList(const TopControls& controls, const CompactNumerals& numerals, const ListArea& area)
      : controls_(controls),
        area_(area),
        wide_(area.width >= kWideScreen),
        by_group_(controls.group() != TopGroup::process),
        report_columns_(process_columns({{area.unicode}, false, true, &numerals})),
        columns_(columns()) {}

  Line header() const { return header_line(columns_, area_.width, area_.unicode); }

  Line line(const TopProcess& process, bool selected) const {
    std::vector<Span> cells;
    for (const TopColumn& column : columns_) cells.push_back(cell(process, column));
    std::optional<Style> whole;
    if (process.ended) whole = Style::dim;
    if (selected) whole = Style::reverse;
    return table_line(columns_, cells, area_.width, area_.unicode, whole);
  }

 private:
  void add(std::initializer_list<ProcessSort> sorts, TopColumn column) {
    const bool sorted =
        std::find(sorts.begin(), sorts.end(), controls_.process_sort()) != sorts.end();
    const bool is_text = controls_.process_sort() == ProcessSort::name ||
                         controls_.process_sort() == ProcessSort::pid;
    if (sorted) column.mark = sort_mark(is_text, controls_.reversed());
    added_.push_back(std::move(column));
  }

  std::vector<TopColumn> columns() {
    std::size_t pid_width = 5;
    for (const TopProcess& process : controls_.sample().processes)
      pid_width = std::max(pid_width, std::to_string(process.key.pid).size());
    const std::size_t number = wide_ ? 11 : 5;
    const std::size_t long_title = wide_ ? 11 : 6;
    const std::size_t share = wide_ ? 15 : area_.width >= 64 ? 10 : 5;
    if (by_group_)
      add({ProcessSort::pid}, {"PID", "PROCS", "PROCS", 5});
    else
      add({ProcessSort::pid}, {"PID", "PID", "PID", pid_width});
    add({ProcessSort::name},
        {"NAME", by_group_ ? upper_case(group_name(controls_.group())) : "NAME", "NAME",
         by_group_ ? kMinGroupNameWidth : kMinNameWidth, false});
    add({ProcessSort::syscalls},
        {"SYSCALLS", controls_.rate("SYSCALLS"), "CALLS", number, true, 1});
    add({ProcessSort::copied, ProcessSort::moved},
        {"COPIED", controls_.rate("COPIED"), "COPIED", long_title, true, 2});
    add({ProcessSort::in_kernel, ProcessSort::moved},
        {"IN KERNEL", controls_.rate("IN KERNEL"), "KERNEL", long_title, true, 3});
    add({ProcessSort::delivered},
        {"DELIVERED", controls_.rate("DELIVERED"), "DELIV", number, true, 7});
    add({}, {"COPIES", "COPIES", "COPY", wide_ ? 7U : 4U, true, 5});
    add({ProcessSort::zero_copy}, {"ZERO-COPY", "ZERO-COPY", "ZC", share, true, 4});
    add({ProcessSort::switches},
        {kSwitchesTitle, controls_.rate("SWITCHES"), "SWITCHES", wide_ ? 12U : 9U, true, 8});
    add({ProcessSort::cpu}, {"CPU", controls_.totals() ? "CPU" : "CPU%", "CPU",
                             wide_ || controls_.totals() ? 6U : 5U, true, 6});
    add({ProcessSort::errors},
        {"ERRORS", controls_.rate("ERRORS"), "ERR", wide_ ? 9U : 5U, true, 9});
    drop_until_fitting(added_, area_.width);
    widen_name();
    return std::move(added_);
  }

  // What is left goes to the name, then to the verdict, then to the command line.
  void widen_name() {
    std::size_t spare = area_.width - std::min(area_.width, width_of(added_));
    const std::size_t most = by_group_ ? kGroupNameWidth : kNameWidth;
    const std::size_t name = std::min(spare, most - added_[1].width);
    added_[1].width += name;
    spare -= name;
    if (spare > kLeastVerdictWidth) {
      const bool both = !by_group_ && spare > kLeastVerdictWidth + 1 + kMinCommandWidth;
      const std::size_t width =
          std::min(kMostVerdictWidth, spare - 1 - (both ? kMinCommandWidth + 1 : 0));
      added_.push_back({kVerdictTitle, std::string(kVerdictTitle), "HOW", width, false});
      spare -= width + 1;
    }
    if (!by_group_ && spare > kMinCommandWidth)
      added_.push_back({"COMMAND", "COMMAND", "COMMAND", spare - 1, false});
  }

  Span cell(const TopProcess& process, const TopColumn& column) const {
    const ProcessSummary& figures = process.figures(controls_.totals());
    if (column.column == "PID" && by_group_) return {std::to_string(process.members)};
    if (column.column == "NAME" && (by_group_ || process.ended)) {
      std::string name = printable(process.total->name, area_.unicode);
      if (process.ended) name = cut_to_width(name, column.width - 8, area_.unicode) + " (ended)";
      return {name};
    }
    if (column.column == kVerdictTitle) {
      const Process* shown = controls_.totals() ? process.total : process.interval;
      return span_of(verdict_cell(shown == nullptr ? Verdict::none : telling_verdict(shown->rows)));
    }
    const ProcessLine line{process.total, figures, 0, ""};
    Span cell = cell_of(report_columns_, column.column, line);
    if (column.column == "ZERO-COPY")
      cell.text = zero_copy_share(figures.delivered, column.width, area_.unicode);
    if (column.column == "COMMAND") cell.style = Style::dim;
    return cell;
  }

  static std::string upper_case(std::string_view text) {
    std::string upper(text);
    for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    return upper;
  }

  const TopControls& controls_;
  const ListArea& area_;
  bool wide_;
  bool by_group_;
  Columns<ProcessLine> report_columns_;
  std::vector<TopColumn> added_;
  std::vector<TopColumn> columns_;
};

}  // namespace

std::vector<Line> process_list(const TopControls& controls, const CompactNumerals& numerals,
                               const ListArea& area, const std::string& empty) {
  const ProcessList list(controls, numerals, area);
  std::vector<Line> lines;
  if (area.header) lines.push_back(list.header());
  const auto& processes = controls.processes();
  if (processes.empty())
    lines.push_back({{cut_to_width(empty, area.width, area.unicode), Style::dim}});
  const std::size_t end = std::min(processes.size(), controls.first_line() + area.height);
  for (std::size_t i = controls.first_line(); i < end; ++i)
    lines.push_back(list.line(*processes[i], i == controls.selected()));
  return lines;
}

}  // namespace zctrace
