// SPDX-License-Identifier: MIT
// The columns, their order and their wording.
#include "cli/views/mount/mount_tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "cli/text/printable.h"
#include "cli/text/units.h"
#include "cli/views/columns.h"
#include "cli/views/mount/amplification_view.h"
#include "cli/views/report/process_table.h"
#include "cli/views/report/report_facts.h"
#include "cli/views/report/row_table.h"
#include "cli/views/wording.h"
#include "collector/fuse/counts/usage.h"
#include "collector/fuse/report/fuse_report.h"

namespace zctrace {
namespace {

using fuse::Usage;

constexpr std::size_t kFileLines = 20;
constexpr std::size_t kPathWidth = 200;
constexpr std::size_t kNameWidth = 20;

struct OperationLine {
  Operation operation;
  TimedCounts counts;

  bool moves_bytes() const {
    return is_read(operation) || is_write(operation) || counts.bytes != 0;
  }
  std::string bytes(std::uint64_t count) const { return moves_bytes() ? format_bytes(count) : "-"; }
  std::string percentile(double fraction) const {
    return format_ns(counts.latency.percentile_ns(fraction, counts.max_ns).value_or(0));
  }
};

using OperationCell = Cell (*)(const OperationLine&);

RecordColumn<OperationLine> operation_column(Column column, OperationCell cell) {
  return {std::move(column), cell, "", {}};
}

Columns<OperationLine> operation_columns() {
  return {
      operation_column({"REQUEST", false},
                       [](const OperationLine& line) -> Cell {
                         const bool all_spliced = line.moves_bytes() &&
                                                  line.counts.spliced_bytes != 0 &&
                                                  line.counts.copied_bytes == 0;
                         return {std::string(operation_name(line.operation)),
                                 all_spliced ? Tone::good : Tone::plain};
                       }),
      operation_column(
          {"COUNT"},
          [](const OperationLine& line) -> Cell { return {format_count(line.counts.calls)}; }),
      operation_column(
          {"ERRORS", true, 3},
          [](const OperationLine& line) -> Cell { return {format_count(line.counts.errors)}; }),
      operation_column(
          {"BYTES"},
          [](const OperationLine& line) -> Cell { return {line.bytes(line.counts.bytes)}; }),
      operation_column({"AVG", true, 8},
                       [](const OperationLine& line) -> Cell {
                         if (line.counts.calls == 0) return {"-"};
                         return {line.bytes(line.counts.bytes / line.counts.calls)};
                       }),
      operation_column({"SPLICED", true, 1},
                       [](const OperationLine& line) -> Cell {
                         return {line.bytes(line.counts.spliced_bytes)};
                       }),
      operation_column(
          {"COPIED", true, 2},
          [](const OperationLine& line) -> Cell { return {line.bytes(line.counts.copied_bytes)}; }),
      operation_column(
          {"TIME", true, 4},
          [](const OperationLine& line) -> Cell { return {format_ns(line.counts.wall_ns)}; }),
      operation_column({"P50", true, 6},
                       [](const OperationLine& line) -> Cell { return {line.percentile(0.5)}; }),
      operation_column({"P99", true, 5},
                       [](const OperationLine& line) -> Cell { return {line.percentile(0.99)}; }),
      operation_column(
          {"MAX", true, 7},
          [](const OperationLine& line) -> Cell { return {format_ns(line.counts.max_ns)}; }),
  };
}

// A process or a file, with the totals of its requests.
struct UsageLine {
  std::string pid;
  std::string name;
  std::string command;
  std::string path;
  Usage usage;

  std::uint64_t bytes() const { return usage.bytes_read + usage.bytes_written; }
};

RecordColumn<UsageLine> text_column(Column column, std::string UsageLine::*text) {
  return {
      std::move(column), [text](const UsageLine& line) -> Cell { return {line.*text}; }, "", {}};
}

RecordColumn<UsageLine> count_column(Column column, std::uint64_t Usage::*count) {
  return {std::move(column),
          [count](const UsageLine& line) -> Cell { return {format_count(line.usage.*count)}; },
          "",
          {}};
}

RecordColumn<UsageLine> bytes_column(Column column, std::uint64_t Usage::*bytes) {
  return {std::move(column),
          [bytes](const UsageLine& line) -> Cell {
            return {line.usage.*bytes == 0 ? "-" : format_bytes(line.usage.*bytes)};
          },
          "",
          {}};
}

Columns<UsageLine> usage_columns() {
  return {count_column({"REQUESTS"}, &Usage::requests),
          count_column({"ERRORS", true, 4}, &Usage::errors),
          bytes_column({"READ"}, &Usage::bytes_read),
          bytes_column({"WRITTEN"}, &Usage::bytes_written),
          bytes_column({"SPLICED", true, 2}, &Usage::spliced_bytes),
          bytes_column({"COPIED", true, 3}, &Usage::copied_bytes)};
}

UsageLine requester_line(const Process& process, bool unicode) {
  UsageLine line;
  line.pid = process.pid == 0 ? "-" : fmt::format("{}", process.pid);
  line.name = cut_to_width(printable(process.name, unicode), kNameWidth, unicode);
  line.command = cut_to_width(shell_words(process.argv, unicode), kPathWidth, unicode);
  line.usage = fuse::usage_of(process.requests);
  return line;
}

const TimedCounts* counts_of(const ProcessRequests& requests, Operation operation) {
  const auto found = requests.find(operation);
  return found == requests.end() ? nullptr : &found->second;
}

Grid operations_grid(const ProcessRequests& requests) {
  std::vector<OperationLine> lines;
  for (const auto& [operation, counts] : requests) lines.push_back({operation, counts});
  std::stable_sort(lines.begin(), lines.end(), [](const auto& a, const auto& b) {
    if (a.counts.bytes != b.counts.bytes) return a.counts.bytes > b.counts.bytes;
    return a.counts.calls > b.counts.calls;
  });
  return grid_of(operation_columns(), lines);
}

Grid requesters_grid(const Report& report, bool unicode) {
  Columns<UsageLine> columns = usage_columns();
  columns.insert(columns.begin(), {text_column({"PID"}, &UsageLine::pid),
                                   text_column({"NAME", false}, &UsageLine::name)});
  std::vector<UsageLine> lines;
  for (const Process* const process : requesters_of(report))
    lines.push_back(requester_line(*process, unicode));
  std::stable_sort(lines.begin(), lines.end(), [](const UsageLine& a, const UsageLine& b) {
    return a.bytes() != b.bytes() ? a.bytes() > b.bytes() : a.usage.requests > b.usage.requests;
  });
  if (lines.size() > kProcessLines) lines.resize(kProcessLines);
  std::vector<NamedCommand> commands;
  for (const UsageLine& line : lines) commands.push_back({line.name, line.command});
  columns.push_back(text_column(command_column(std::move(commands)), &UsageLine::command));
  if (!report.others.sum.requests.empty()) {
    const std::string name =
        fmt::format("({})", plural(report.mount->summed_requesters, "other", "others"));
    lines.push_back({"-", name, "", "", fuse::usage_of(report.others.sum.requests)});
  }
  return grid_of(columns, lines);
}

Grid files_grid(const MountPart& mount, bool unicode) {
  Columns<UsageLine> columns = usage_columns();
  columns.insert(columns.begin(), text_column({"FILE", false, 0, 24}, &UsageLine::path));
  std::vector<UsageLine> lines;
  for (const FileRequests& file : mount.files) {
    if (lines.size() == kFileLines) break;
    UsageLine& line = lines.emplace_back();
    line.path = cut_to_width(printable(file.path, unicode), kPathWidth, unicode);
    line.usage = fuse::usage_of(file.operations);
  }
  Grid grid = grid_of(columns, lines);
  if (!mount.mount_point.empty())
    grid.legend = {{"FILE", fmt::format("FILE is the path below {}; . is that directory",
                                        printable(mount.mount_point, unicode))}};
  return grid;
}

std::vector<std::string> files_left_out(const MountPart& mount) {
  if (mount.files.size() <= kFileLines) return {};
  return {fmt::format("and {} (in --json)",
                      plural(mount.files.size() - kFileLines, "more file", "more files"))};
}

std::vector<std::string> operation_notes(const ProcessRequests& requests) {
  std::vector<std::string> notes;
  if (const TimedCounts* const unknown = counts_of(requests, Operation::read_or_mmap))
    notes.push_back(
        fmt::format("{} may come from a read call or from a mapping; --cache none shows which",
                    plural(unknown->calls, "read request", "read requests")));
  const TimedCounts* const getxattr = counts_of(requests, Operation::getxattr);
  if (getxattr != nullptr && getxattr->errors != 0)
    notes.push_back(
        "before a write the kernel asks for the attribute security.capability; an error of "
        "getxattr only means that the file has none");
  return notes;
}

std::vector<Fact> mount_facts(const Report& report, const ProcessRequests& requests) {
  const Usage usage = fuse::usage_of(requests);
  const DaemonUse& daemon = report.mount->daemon;
  std::vector<Fact> facts;
  if (report.mount->observed) facts.push_back(amplification_verdict(report));
  facts.push_back(
      {"requests",
       {plural(usage.requests, "request", "requests"), plural(usage.errors, "error", "errors"),
        fmt::format("{} read", format_bytes(usage.bytes_read)),
        fmt::format("{} written", format_bytes(usage.bytes_written))}});
  const std::string replies =
      report.mount->by_ring
          ? fmt::format("{} by io_uring", plural(daemon.replies_committed, "reply", "replies"))
          : fmt::format("{} spliced", plural(daemon.replies_spliced, "reply", "replies"));
  facts.push_back({"daemon",
                   {fmt::format("{} spliced", format_bytes(usage.spliced_bytes)),
                    fmt::format("{} copied through its memory", format_bytes(usage.copied_bytes)),
                    plural(daemon.threads, "thread", "threads"),
                    fmt::format("{} user", format_ns(daemon.user_ns)),
                    fmt::format("{} system", format_ns(daemon.system_ns)),
                    fmt::format("{} voluntary and {} involuntary switches",
                                format_count(daemon.voluntary_switches),
                                format_count(daemon.involuntary_switches)),
                    fmt::format("{} written", plural(daemon.replies_written, "reply", "replies")),
                    replies, fmt::format("peak RSS {}", format_bytes(daemon.max_rss_bytes))}});
  // The report of `run` has shown its completeness already.
  if (report.command == "mount")
    for (Fact& fact : completeness_facts(report.completeness)) facts.push_back(std::move(fact));
  return facts;
}

Section calls_section(std::string title, const Process& calls, const Wording& wording) {
  Section section;
  section.lines = {{std::move(title)}};
  section.grid = rows_grid(calls, std::nullopt, wording);
  return section;
}

void add_amplification(std::vector<Section>& sections, const Report& report,
                       const Wording& wording) {
  const ObservedCalls& observed = *report.mount->observed;
  Section& section = sections.emplace_back();
  section.grid = amplification_grid(report);
  section.notes = {"each line moves the same bytes once more: do not add them up"};
  // The report of `run` has shown the applications' calls already.
  if (report.command == "mount" && !observed.applications.rows.empty())
    sections.push_back(calls_section(
        "calls of applications on files of the mount:", observed.applications, wording));
  sections.push_back(calls_section("calls of the daemon:", observed.daemon, wording));
}

}  // namespace

std::vector<const Process*> requesters_of(const Report& report) {
  std::vector<const Process*> requesters;
  for (const Process& process : report.processes)
    if (!process.requests.empty()) requesters.push_back(&process);
  for (const Process& process : report.mount->other_requesters) requesters.push_back(&process);
  return requesters;
}

std::string mount_title(const Report& report, bool unicode) {
  return fmt::format("Report on {}, mounted at {}", printable(report.mount->source, unicode),
                     printable(report.mount->mount_point, unicode));
}

std::vector<std::string> mount_circumstances(const Report& report, bool unicode) {
  std::vector<std::string> items = {
      format_ns(report.duration_ns),
      plural(report.processes.size() + report.others.processes, "process", "processes"),
      plural(report.mount->files.size(), "file", "files"),
      fmt::format("cache {}", report.mount->cache),
      report.mount->passthrough ? "passthrough"
      : report.mount->by_ring   ? "io_uring"
      : report.mount->splice    ? "splice on"
                                : "splice off"};
  for (std::string& item : host_items(report.host, unicode)) items.push_back(std::move(item));
  return items;
}

std::vector<Section> mount_sections(const Report& report, const Wording& wording) {
  const ProcessRequests requests = fuse::all_requests(report);
  std::vector<Section> sections;
  if (requests.empty()) {
    sections.emplace_back().lines = {{"no process sent a request to the file system"}};
  } else {
    Section& operations = sections.emplace_back();
    operations.grid = operations_grid(requests);
    operations.notes = operation_notes(requests);
    sections.emplace_back().grid = requesters_grid(report, wording.unicode);
    Section& files = sections.emplace_back();
    files.grid = files_grid(*report.mount, wording.unicode);
    files.notes = files_left_out(*report.mount);
    if (report.mount->passthrough)
      files.notes.push_back(
          "the kernel reads and writes these files itself, so the bytes here are only those of "
          "requests; --observe shows all that syscalls move");
  }
  if (report.mount->observed) add_amplification(sections, report, wording);
  sections.emplace_back().facts = mount_facts(report, requests);
  return sections;
}

}  // namespace zctrace
