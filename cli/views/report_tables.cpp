// SPDX-License-Identifier: MIT
// Which columns, in which order, with which words.
#include "cli/views/report_tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "cli/text/printable.h"
#include "cli/text/units.h"
#include "cli/views/report_facts.h"

namespace zctrace {
namespace {

constexpr std::size_t kNameWidth = 24;  // a comm is at most 15 bytes, escaped more
constexpr std::size_t kCommandWidth = 80;

std::string exit_text(const Process& process) {
  if (process.exit_code) return fmt::format("{}", *process.exit_code);
  return process.end_ns ? "-" : "running";
}

// Byte-moving rows by what they moved, then mmap and the like; `other` closes the list.
bool shown_before(const Row& a, const Row& b) {
  const auto key = [](const Row& row) {
    return std::pair(row.syscall == "other", row.copy == Copy::none);
  };
  if (key(a) != key(b)) return key(a) < key(b);
  if (a.bytes != b.bytes) return a.bytes > b.bytes;
  if (a.calls != b.calls) return a.calls > b.calls;
  return std::tie(a.syscall, a.from, a.to) < std::tie(b.syscall, b.from, b.to);
}

std::vector<Row> rows_by_syscall(const Process& process) {
  std::vector<Row> rows;
  for (Row row : process.rows) {
    row.from = row.to = Kind::other;
    merge_rows(rows, {row});
  }
  return rows;
}

// The names of the syscalls go into the rows' own, which by flow is free.
std::vector<Row> rows_by_flow(const Process& process) {
  std::vector<Row> sorted = process.rows;
  std::sort(sorted.begin(), sorted.end(), shown_before);
  std::vector<Row> rows;
  using Key = std::tuple<std::string, Kind, Kind>;
  std::map<Key, std::vector<std::string>> names;
  for (Row row : sorted) {
    const std::string name = std::move(row.syscall);
    if (row.copy == Copy::none) row.from = row.to = Kind::other;
    row.syscall = row.copy == Copy::none ? "no bytes" : row.asynchronous ? "io_uring" : "";
    std::vector<std::string>& known = names[Key(row.syscall, row.from, row.to)];
    if (std::find(known.begin(), known.end(), name) == known.end()) known.push_back(name);
    merge_rows(rows, {row});
  }
  for (Row& row : rows) {
    row.syscall = fmt::format("{}", fmt::join(names[Key(row.syscall, row.from, row.to)], ", "));
  }
  return rows;
}

std::string latency_text(const Row& row, double fraction) {
  const auto ns = row.latency.percentile_ns(fraction, row.max_ns);
  return ns ? format_ns(*ns) : "-";
}

// A column of rows_grid and what it shows of a row.
struct RowColumn {
  Column column;
  bool shown = true;
  Cell (*of_row)(const Row&) = nullptr;
};

Cell error_cell(std::uint64_t errors) {
  return {format_count(errors), errors > 0 ? Tone::warning : Tone::dim};
}

std::vector<RowColumn> number_columns(const Process& process, bool latency) {
  const bool any_restart = std::any_of(process.rows.begin(), process.rows.end(),
                                       [](const Row& row) { return row.restarts > 0; });
  // Without an error the column may go early; with one it is what to look at.
  const unsigned error_rank = process.errors() > 0 ? 1 : 4;
  return {
      {{"CALLS"}, true, [](const Row& r) -> Cell { return {format_count(r.calls)}; }},
      {{"ERRORS", true, error_rank}, true, [](const Row& r) { return error_cell(r.errors); }},
      {{"RESTARTS", true, 8},
       any_restart,
       [](const Row& r) -> Cell { return {format_count(r.restarts)}; }},
      {{"BYTES"},
       true,
       [](const Row& r) -> Cell { return {r.copy == Copy::none ? "-" : format_bytes(r.bytes)}; }},
      {{"AVG/CALL", true, 9},
       true,
       [](const Row& r) -> Cell {
         return {r.copy == Copy::none || r.calls == 0 ? "-" : format_bytes(r.bytes / r.calls)};
       }},
      {{"TIME", true, 2}, latency, [](const Row& r) -> Cell { return {format_ns(r.wall_ns)}; }},
      {{"OFF-CPU", true, 3},
       latency,
       [](const Row& r) -> Cell { return {format_ns(r.off_cpu_ns)}; }},
      {{"SW V/I", true, 5},
       true,
       [](const Row& r) -> Cell {
         return {switches_text(r.voluntary_switches, r.involuntary_switches)};
       }},
      {{"P50", true, 10}, latency, [](const Row& r) -> Cell { return {latency_text(r, 0.5)}; }},
      {{"P90", true, 11}, latency, [](const Row& r) -> Cell { return {latency_text(r, 0.9)}; }},
      {{"P99", true, 6}, latency, [](const Row& r) -> Cell { return {latency_text(r, 0.99)}; }},
      {{"MAX", true, 7},
       latency,
       [](const Row& r) -> Cell { return {r.latency.total() > 0 ? format_ns(r.max_ns) : "-"}; }},
  };
}

// Fills the last line's cells under the named titles; the rest stays as it is.
void fill_last_line(Grid& grid, const std::map<std::string, std::string>& text_by_title,
                    Tone tone) {
  for (std::size_t i = 0; i < grid.columns.size(); ++i) {
    const auto found = text_by_title.find(grid.columns[i].title);
    if (found != text_by_title.end()) grid.lines.back()[i] = {found->second, tone};
  }
}

std::uint64_t wall_ns_of(const std::vector<Row>& rows) {
  std::uint64_t sum = 0;
  for (const Row& row : rows) sum += row.asynchronous ? 0 : row.wall_ns;
  return sum;
}

}  // namespace

Grid rows_grid(const Process& process, std::optional<GroupBy> by, const Wording& wording) {
  const bool by_flow = by == GroupBy::flow;
  std::vector<Row> rows = by == GroupBy::syscall ? rows_by_syscall(process)
                          : by_flow              ? rows_by_flow(process)
                                                 : process.rows;
  std::sort(rows.begin(), rows.end(), shown_before);

  std::vector<RowColumn> numbers = number_columns(process, wording.latency);
  std::erase_if(numbers, [](const RowColumn& column) { return !column.shown; });

  Grid grid;
  if (!by_flow) grid.columns.push_back({"SYSCALL", false});
  if (by != GroupBy::syscall) grid.columns.push_back({"FLOW", false});
  for (const RowColumn& number : numbers) grid.columns.push_back(number.column);
  if (by_flow) grid.columns.push_back({"BY", false, 1, 12});

  for (const Row& row : rows) {
    const bool without_copy = row.copy == Copy::in_kernel || row.copy == Copy::lent;
    const Tone tone = without_copy ? Tone::good : Tone::plain;
    const std::string name = printable(row.syscall, wording.unicode);
    std::vector<Cell> line;
    if (!by_flow) line.push_back({name, tone});
    if (by != GroupBy::syscall) {
      line.push_back({flow_text(row, wording), by_flow ? tone : Tone::plain});
    }
    for (const RowColumn& number : numbers) line.push_back(number.of_row(row));
    if (by_flow) line.push_back({name});
    grid.lines.push_back(std::move(line));
  }

  const OutsideFigures outside = process.outside_syscalls;
  if (outside.voluntary + outside.involuntary > 0) {
    grid.lines.emplace_back(grid.columns.size());
    grid.lines.back().front() = {"outside calls", Tone::dim};
    fill_last_line(grid,
                   {{"OFF-CPU", format_ns(process.outside_syscalls.off_cpu_ns)},
                    {"SW V/I", switches_text(outside.voluntary, outside.involuntary)}},
                   Tone::dim);
  }
  if (grid.lines.size() > 1) {
    grid.lines.emplace_back(grid.columns.size());
    grid.lines.back().front() = {"total", Tone::dim};
    // No bytes: what is read and then written would count twice.
    fill_last_line(
        grid,
        {{"CALLS", format_count(process.syscalls())},
         {"ERRORS", format_count(process.errors())},
         {"TIME", format_ns(wall_ns_of(process.rows))},
         {"OFF-CPU", format_ns(process.off_cpu_ns())},
         {"SW V/I", switches_text(process.voluntary_switches(), process.involuntary_switches())}},
        Tone::dim);
  }
  return grid;
}

std::vector<const Process*> by_bytes(const std::vector<Process>& processes) {
  struct Key {
    std::uint64_t bytes;
    std::uint64_t syscalls;
  };
  std::vector<std::pair<Key, const Process*>> keyed;
  keyed.reserve(processes.size());
  for (const Process& process : processes) {
    keyed.push_back(
        {{process.copied_bytes() + process.in_kernel_bytes(), process.syscalls()}, &process});
  }
  std::sort(keyed.begin(), keyed.end(), [](const auto& a, const auto& b) {
    if (a.first.bytes != b.first.bytes) return a.first.bytes > b.first.bytes;
    if (a.first.syscalls != b.first.syscalls) return a.first.syscalls > b.first.syscalls;
    return std::tie(a.second->pid, a.second->tid) < std::tie(b.second->pid, b.second->tid);
  });
  std::vector<const Process*> sorted;
  sorted.reserve(keyed.size());
  for (const auto& [key, process] : keyed) sorted.push_back(process);
  return sorted;
}

Grid processes_grid(const Report& report, const Wording& wording) {
  const bool threads = has_threads(report);
  Grid grid;
  grid.columns = {{"PID"}};
  if (threads) grid.columns.push_back({"TID"});
  grid.columns.insert(grid.columns.end(), {{"NAME", false},
                                           {"SYSCALLS"},
                                           {"COPIED"},
                                           {"IN KERNEL", true, 1},
                                           {"DELIVERED", true, 3},
                                           {"ZERO-COPY", true, 2},
                                           {"USER", true, 6},
                                           {"SYSTEM", true, 5},
                                           {"FAULTS", true, 9},
                                           {"RSS", true, 8},
                                           {"SW V/I", true, 7},
                                           {"EXIT", true, 4},
                                           {"COMMAND", false, 10, 16}});
  const auto figures = [](const Process& process, std::uint64_t delivered_bytes,
                          std::optional<double> share) -> std::vector<Cell> {
    return {{format_count(process.syscalls())},
            {format_bytes(process.copied_bytes())},
            {format_bytes(process.in_kernel_bytes())},
            {format_bytes(delivered_bytes)},
            {share ? percent_text(*share) : "-", share && *share > 0 ? Tone::good : Tone::plain},
            {format_ns(process.user_ns)},
            {format_ns(process.system_ns)},
            {format_count(process.minor_faults + process.major_faults)},
            {format_bytes(process.max_rss_bytes)},
            {switches_text(process.voluntary_switches(), process.involuntary_switches())}};
  };
  const auto add_line = [&grid, threads](std::vector<Cell> line, std::vector<Cell> cells) {
    if (!threads) line.erase(line.begin() + 1);
    line.insert(line.end(), cells.begin(), cells.end());
    line.resize(grid.columns.size());
    grid.lines.push_back(std::move(line));
  };
  std::vector<const Process*> shown = by_bytes(report.processes);
  if (shown.size() > kProcessLines) shown.resize(kProcessLines);
  for (const Process* process : shown) {
    std::vector<Cell> cells =
        figures(*process, process->delivered_bytes(), process->zero_copy_share());
    cells.push_back(
        {exit_text(*process), process->exit_code.value_or(0) != 0 ? Tone::warning : Tone::plain});
    cells.push_back({cut_to_width(shell_words(process->argv, wording.unicode), kCommandWidth,
                                  wording.unicode)});
    add_line(
        {{fmt::format("{}", process->pid)},
         {fmt::format("{}", process->tid)},
         {cut_to_width(printable(process->name, wording.unicode), kNameWidth, wording.unicode)}},
        std::move(cells));
  }
  const Totals& others = report.others;
  if (others.processes != 0) {
    add_line({{"-"}, {"-"}, {fmt::format("({})", plural(others.processes, "other", "others"))}},
             figures(others.sum, others.delivered_bytes, others.zero_copy_share()));
  }
  return grid;
}

std::string processes_left_out(const Report& report, const Wording& wording) {
  std::vector<std::string> parts;
  if (report.processes.size() > kProcessLines)
    parts.push_back(fmt::format("{} and {} more (in --json)", wording.unicode ? "…" : "...",
                                report.processes.size() - kProcessLines));
  if (report.others.processes != 0)
    parts.push_back("others: ended, moved the least (--max-processes lists more)");
  return fmt::format("{}", fmt::join(parts, "; "));
}

}  // namespace zctrace
