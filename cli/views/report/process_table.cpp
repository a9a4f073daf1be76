// SPDX-License-Identifier: MIT
// The columns of a process.
#include "cli/views/report/process_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <tuple>
#include <utility>

#include "cli/text/printable.h"
#include "cli/text/signal_name.h"
#include "cli/text/units.h"
#include "cli/views/columns.h"
#include "cli/views/report/report_facts.h"

namespace zctrace {
namespace {

constexpr std::size_t kNameWidth = 24;  // a comm is at most 15 bytes, escaped more
constexpr std::size_t kCommandWidth = 80;

std::string exit_text(const Process& process) {
  if (process.signal) return signal_name(*process.signal);
  if (process.exit_code) return fmt::format("{}", *process.exit_code);
  return process.end_ns ? "-" : "running";
}

// A line of the table of processes: one of them, or the sum of the others.
struct ProcessLine {
  const Process* process;
  std::uint64_t delivered_bytes;
  std::optional<double> zero_copy_share;
  std::uint64_t others = 0;  // how many; 0: it is one process
};

RecordColumn<ProcessLine> process_column(Column column,
                                         std::function<Cell(const ProcessLine&)> cell) {
  return {std::move(column), std::move(cell), "", nullptr};
}

RecordColumn<ProcessLine> process_count(const char* title, unsigned rank,
                                        std::string (*text)(const Process&)) {
  return process_column({title, true, rank},
                        [text](const ProcessLine& line) -> Cell { return {text(*line.process)}; });
}

void add_identity_columns(Columns<ProcessLine>& columns, bool threads, const Wording& wording) {
  columns.push_back(process_column({"PID"}, [](const ProcessLine& line) -> Cell {
    return {line.others != 0 ? "-" : fmt::format("{}", line.process->pid)};
  }));
  if (threads)
    columns.push_back(process_column({"TID"}, [](const ProcessLine& line) -> Cell {
      return {line.others != 0 ? "-" : fmt::format("{}", line.process->tid)};
    }));
  columns.push_back(
      process_column({"NAME", false}, [unicode = wording.unicode](const ProcessLine& line) -> Cell {
        if (line.others != 0) return {fmt::format("({})", plural(line.others, "other", "others"))};
        return {cut_to_width(printable(line.process->name, unicode), kNameWidth, unicode)};
      }));
}

Columns<ProcessLine> process_columns(bool threads, const Wording& wording) {
  Columns<ProcessLine> columns;
  add_identity_columns(columns, threads, wording);
  columns.push_back(process_count(
      "SYSCALLS", 0, [](const Process& process) { return format_count(process.syscalls()); }));
  columns.push_back(process_count(
      "COPIED", 0, [](const Process& process) { return format_bytes(process.copied_bytes()); }));
  columns.push_back(process_count("IN KERNEL", 1, [](const Process& process) {
    return format_bytes(process.in_kernel_bytes());
  }));
  columns.push_back(process_column({"DELIVERED", true, 3}, [](const ProcessLine& line) -> Cell {
    return {format_bytes(line.delivered_bytes)};
  }));
  columns.push_back(process_column({"ZERO-COPY", true, 2}, [](const ProcessLine& line) -> Cell {
    const auto share = line.zero_copy_share;
    return {share ? percent_text(*share) : "-", share.value_or(0) > 0 ? Tone::good : Tone::plain};
  }));
  columns.push_back(process_count("CPU", 5, [](const Process& process) {
    return format_ns(process.user_ns + process.system_ns);
  }));
  columns.push_back(process_count("SYSTEM", 6, [](const Process& process) {
    const auto share = system_share(process);
    return share ? fmt::format("{:.0f}%", 100 * *share) : "-";
  }));
  columns.push_back(process_count("FAULTS", 9, [](const Process& process) {
    return format_count(process.minor_faults + process.major_faults);
  }));
  columns.push_back(process_count(
      "RSS", 8, [](const Process& process) { return format_bytes(process.max_rss_bytes); }));
  columns.push_back(process_count(kSwitchesTitle.data(), 7, [](const Process& process) {
    return switches_text(process.voluntary_switches(), process.involuntary_switches());
  }));
  columns.push_back(process_column({"EXIT", true, 4}, [](const ProcessLine& line) -> Cell {
    if (line.others != 0) return {};
    return {exit_text(*line.process),
            line.process->exit_code.value_or(0) != 0 ? Tone::warning : Tone::plain};
  }));
  columns.push_back(process_column(
      {"COMMAND", false, 10, 16}, [unicode = wording.unicode](const ProcessLine& line) -> Cell {
        return {cut_to_width(shell_words(line.process->argv, unicode), kCommandWidth, unicode)};
      }));
  return columns;
}

}  // namespace

std::vector<const Process*> by_bytes(const std::vector<Process>& processes) {
  struct Moved {
    std::uint64_t bytes;
    std::uint64_t syscalls;
  };
  std::vector<std::pair<Moved, const Process*>> moved;
  moved.reserve(processes.size());
  for (const Process& process : processes) {
    moved.push_back(
        {{process.copied_bytes() + process.in_kernel_bytes(), process.syscalls()}, &process});
  }
  std::sort(moved.begin(), moved.end(), [](const auto& a, const auto& b) {
    if (a.first.bytes != b.first.bytes) return a.first.bytes > b.first.bytes;
    if (a.first.syscalls != b.first.syscalls) return a.first.syscalls > b.first.syscalls;
    return std::tie(a.second->pid, a.second->tid) < std::tie(b.second->pid, b.second->tid);
  });
  std::vector<const Process*> sorted;
  sorted.reserve(moved.size());
  for (const auto& [figures, process] : moved) sorted.push_back(process);
  return sorted;
}

Grid processes_grid(const Report& report, const Wording& wording) {
  std::vector<const Process*> shown = by_bytes(report.processes);
  if (shown.size() > kProcessLines) shown.resize(kProcessLines);
  std::vector<ProcessLine> lines;
  for (const Process* process : shown)
    lines.push_back({process, process->delivered_bytes(), process->zero_copy_share()});
  const Totals& others = report.others;
  if (others.processes != 0)
    lines.push_back(
        {&others.sum, others.delivered_bytes, others.zero_copy_share(), others.processes});
  return grid_of(process_columns(has_threads(report), wording), lines);
}

std::string processes_left_out(const Report& report, const Wording& wording) {
  std::vector<std::string> parts;
  if (report.processes.size() > kProcessLines)
    parts.push_back(fmt::format("{} and {} more (in --json)", wording.unicode ? "…" : "...",
                                report.processes.size() - kProcessLines));
  if (report.others.processes != 0)
    parts.push_back("others: they ended and moved the fewest bytes (--max-processes lists more)");
  return fmt::format("{}", fmt::join(parts, "; "));
}

}  // namespace zctrace
