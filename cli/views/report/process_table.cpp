// SPDX-License-Identifier: MIT
// The columns of a process.
#include "cli/views/report/process_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

#include "cli/text/printable.h"
#include "cli/text/signal_name.h"
#include "cli/text/units.h"
#include "cli/views/columns.h"
#include "cli/views/report/report_facts.h"

namespace zctrace {
namespace {

constexpr std::size_t kNameWidth = 24;  // a comm is at most 15 bytes, escaped more
constexpr std::size_t kCommandWidth = 80;
constexpr std::size_t kContainerWidth = 48;
constexpr std::size_t kLeastContainerWidth = 16;

std::string exit_text(const Process& process) {
  if (process.signal) return signal_name(*process.signal);
  if (process.exit_code) return fmt::format("{}", *process.exit_code);
  return process.end_ns ? "-" : "running";
}

RecordColumn<ProcessLine> process_column(Column column,
                                         std::function<Cell(const ProcessLine&)> cell) {
  return {std::move(column), std::move(cell), "", nullptr};
}

void add_identity_columns(Columns<ProcessLine>& columns, const ProcessColumnOptions& options) {
  const auto add_number = [&columns](const char* title, std::int64_t Process::*number) {
    columns.push_back(process_column({title}, [number](const ProcessLine& line) -> Cell {
      return {line.summed != 0 ? "-" : fmt::format("{}", line.process->*number)};
    }));
  };
  add_number("PID", &Process::pid);
  if (options.threads) add_number("TID", &Process::tid);
  columns.push_back(process_column(
      {"NAME", false}, [unicode = options.wording.unicode](const ProcessLine& line) -> Cell {
        const std::string& name = line.summed != 0 ? line.sum_name : line.process->name;
        return {cut_to_width(printable(name, unicode), kNameWidth, unicode)};
      }));
  if (options.containers)
    columns.push_back(process_column(
        {"CONTAINER", false, 3, kLeastContainerWidth},
        [unicode = options.wording.unicode](const ProcessLine& line) -> Cell {
          const std::string text = line.summed != 0 ? "" : line.process->owner.container_text();
          return {cut_to_width(printable(text, unicode), kContainerWidth, unicode)};
        }));
}

void add_summary_columns(Columns<ProcessLine>& columns, const ProcessColumnOptions& options) {
  using Write = std::string (Numerals::*)(std::uint64_t) const;
  const auto add = [&](const char* title, unsigned rank, std::uint64_t ProcessSummary::*figure,
                       Write write) {
    columns.push_back(process_column(
        {title, true, rank},
        [figure, write, numerals = options.numerals](const ProcessLine& line) -> Cell {
          return {(numerals->*write)(line.figures.*figure)};
        }));
  };
  add("SYSCALLS", 0, &ProcessSummary::syscalls, &Numerals::count);
  add("COPIED", 0, &ProcessSummary::copied_bytes, &Numerals::bytes);
  add("IN KERNEL", 1, &ProcessSummary::in_kernel_bytes, &Numerals::bytes);
  columns.push_back(process_column({"DELIVERED", true, 3},
                                   [numerals = options.numerals](const ProcessLine& line) -> Cell {
                                     return {numerals->bytes(line.figures.delivered.bytes)};
                                   }));
  columns.push_back(
      process_column({"COPIES", true, 4, 0, true}, [](const ProcessLine& line) -> Cell {
        const ProcessSummary& figures = line.figures;
        if (!figures.copies_per_byte()) return {"-"};
        return {copies_text(figures.cpu_copied_bytes, figures.delivered.bytes)};
      }));
  columns.push_back(process_column({"ZERO-COPY", true, 2, 0, true},
                                   [numerals = options.numerals, unicode = options.wording.unicode](
                                       const ProcessLine& line) -> Cell {
                                     const Delivered& delivered = line.figures.delivered;
                                     const auto share = delivered.zero_copy_share();
                                     const std::string bound =
                                         delivered.zero_copy_is_bound() ? at_least(unicode) : "";
                                     return {share ? bound + numerals->share(*share) : "-",
                                             share.value_or(0) > 0 ? Tone::good : Tone::plain};
                                   }));
  add("CPU", 5, &ProcessSummary::cpu_ns, &Numerals::time);
}

// What the kernel says of a process as a whole, beside what it did.
void add_usage_columns(Columns<ProcessLine>& columns, const ProcessColumnOptions& options) {
  columns.push_back(process_column({"SYSTEM", true, 6}, [](const ProcessLine& line) -> Cell {
    const auto share = system_share(*line.process);
    return {share ? fmt::format("{:.0f}%", 100 * *share) : "-"};
  }));
  columns.push_back(process_column(
      {"FAULTS", true, 9}, [numerals = options.numerals](const ProcessLine& line) -> Cell {
        return {numerals->count(line.process->minor_faults + line.process->major_faults)};
      }));
  columns.push_back(process_column({"RSS", true, 8},
                                   [numerals = options.numerals](const ProcessLine& line) -> Cell {
                                     return {numerals->size(line.process->max_rss_bytes)};
                                   }));
}

void add_event_columns(Columns<ProcessLine>& columns, const ProcessColumnOptions& options) {
  columns.push_back(process_column({std::string(kSwitchesTitle), true, 7},
                                   [numerals = options.numerals](const ProcessLine& line) -> Cell {
                                     return {switches_text(line.figures.voluntary_switches,
                                                           line.figures.involuntary_switches,
                                                           *numerals)};
                                   }));
  if (options.errors)
    columns.push_back(process_column(
        {"ERRORS", true, 11}, [numerals = options.numerals](const ProcessLine& line) -> Cell {
          return {numerals->count(line.figures.errors),
                  line.figures.errors > 0 ? Tone::warning : Tone::plain};
        }));
  columns.push_back(process_column({"EXIT", true, 4, 0, true}, [](const ProcessLine& line) -> Cell {
    if (line.summed != 0) return {};
    return {exit_text(*line.process),
            line.process->exit_code.value_or(0) != 0 ? Tone::warning : Tone::plain};
  }));
}

}  // namespace

Column command_column(std::vector<NamedCommand> commands) {
  constexpr std::size_t kLeast = 16;
  constexpr std::size_t kMost = 32;
  constexpr std::size_t kContext = 6;  // of what differs
  std::sort(commands.begin(), commands.end(), [](const NamedCommand& a, const NamedCommand& b) {
    return std::tie(a.name, a.command) < std::tie(b.name, b.command);
  });
  std::size_t wanted = 0;
  for (std::size_t i = 1; i < commands.size(); ++i) {
    const auto& [name, command] = commands[i];
    const auto& [name_before, before] = commands[i - 1];
    if (name != name_before || command == before) continue;
    const auto differ = std::mismatch(before.begin(), before.end(), command.begin(), command.end());
    wanted = std::max(wanted, static_cast<std::size_t>(differ.second - command.begin()) + kContext);
  }
  return {"COMMAND", false, wanted != 0 ? 1U : 10U, std::clamp(wanted, kLeast, kMost)};
}

Columns<ProcessLine> process_columns(const ProcessColumnOptions& options) {
  Columns<ProcessLine> columns;
  add_identity_columns(columns, options);
  add_summary_columns(columns, options);
  add_usage_columns(columns, options);
  add_event_columns(columns, options);
  columns.push_back(process_column(
      options.command, [unicode = options.wording.unicode](const ProcessLine& line) -> Cell {
        return {cut_to_width(shell_words(line.process->argv, unicode), kCommandWidth, unicode)};
      }));
  return columns;
}

std::vector<const Process*> by_bytes(const std::vector<Process>& processes) {
  struct Activity {
    std::uint64_t bytes;
    std::uint64_t syscalls;
  };
  std::vector<std::pair<Activity, const Process*>> moved;
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
  for (const Process* process : shown) lines.push_back({process, summary_of(*process), 0, ""});
  const Totals& others = report.others;
  if (others.processes != 0)
    lines.push_back({&others.sum, summary_of(others), others.processes,
                     fmt::format("({})", plural(others.processes, "other", "others"))});
  ProcessColumnOptions options;
  options.wording = wording;
  options.threads = has_threads(report);
  options.containers = std::any_of(shown.begin(), shown.end(), [](const Process* process) {
    return !process->owner.container_text().empty();
  });
  if (!options.threads) {
    std::vector<NamedCommand> commands;
    for (const ProcessLine& line : lines)
      if (line.summed == 0)
        commands.push_back({line.process->name, shell_words(line.process->argv, wording.unicode)});
    options.command = command_column(std::move(commands));
  }
  Grid grid = grid_of(process_columns(options), lines);
  if (std::any_of(lines.begin(), lines.end(), [](const ProcessLine& line) {
        return line.figures.keeps_most() && line.figures.delivered.bytes != 0;
      }))
    grid.legend.push_back(
        {"COPIES",
         "COPIES is for each delivered byte; - where hardly any of what was received was passed "
         "on"});
  if (std::any_of(lines.begin(), lines.end(), [](const ProcessLine& line) {
        return line.figures.delivered.zero_copy_is_bound();
      }))
    grid.legend.push_back(
        {"ZERO-COPY",
         std::string("a ZERO-COPY with ") + at_least(wording.unicode) +
             " is a lower bound: bytes may have been copied into memory that was lent"});
  return grid;
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
