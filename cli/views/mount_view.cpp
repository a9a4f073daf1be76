// SPDX-License-Identifier: MIT
// The same grids on a page and in Markdown.
#include "cli/views/mount_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "cli/text/printable.h"
#include "cli/text/units.h"
#include "cli/views/amplification_view.h"
#include "cli/views/cell.h"
#include "cli/views/csv_view.h"
#include "cli/views/json_view.h"
#include "cli/views/markdown_view.h"
#include "cli/views/page.h"
#include "cli/views/report/process_table.h"
#include "cli/views/report/report_facts.h"
#include "cli/views/report/row_table.h"

namespace zctrace {
namespace {

using fuse::FuseReport;
using fuse::Operation;
using fuse::OperationCounts;
using fuse::Usage;
using nlohmann::ordered_json;

constexpr std::size_t kFileLines = 20;
constexpr std::size_t kPathWidth = 200;

std::string bytes_or_dash(std::uint64_t bytes) { return bytes == 0 ? "-" : format_bytes(bytes); }

template <typename Counts>
bool moves_bytes(Operation operation, const Counts& counts) {
  return fuse::is_read(operation) || fuse::is_write(operation) || counts.bytes != 0;
}

Grid operations_grid(const FuseReport& report) {
  Grid grid;
  grid.columns = {{"REQUEST", false},  {"COUNT"},         {"ERRORS", true, 3},
                  {"BYTES"},           {"AVG", true, 8},  {"SPLICED", true, 1},
                  {"COPIED", true, 2}, {"TIME", true, 4}, {"P50", true, 6},
                  {"P99", true, 5},    {"MAX", true, 7}};
  const auto requests = fuse::all_requests(report);
  std::vector<std::pair<Operation, const fuse::TimedCounts*>> sorted;
  for (const auto& [operation, counts] : requests) sorted.emplace_back(operation, &counts);
  std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) {
    if (a.second->bytes != b.second->bytes) return a.second->bytes > b.second->bytes;
    return a.second->calls > b.second->calls;
  });
  for (const auto& [operation, counts] : sorted) {
    const bool data = moves_bytes(operation, *counts);
    const auto percentile = [counts = counts](double fraction) {
      return format_ns(counts->latency.percentile_ns(fraction, counts->max_ns).value_or(0));
    };
    const bool all_spliced = data && counts->spliced_bytes != 0 && counts->copied_bytes == 0;
    grid.lines.push_back(
        {{std::string(fuse::operation_name(operation)), all_spliced ? Tone::good : Tone::plain},
         {format_count(counts->calls)},
         {format_count(counts->errors)},
         {data ? format_bytes(counts->bytes) : "-"},
         {data && counts->calls != 0 ? format_bytes(counts->bytes / counts->calls) : "-"},
         {data ? format_bytes(counts->spliced_bytes) : "-"},
         {data ? format_bytes(counts->copied_bytes) : "-"},
         {format_ns(counts->wall_ns)},
         {percentile(0.5)},
         {percentile(0.99)},
         {format_ns(counts->max_ns)}});
  }
  return grid;
}

std::vector<Cell> usage_cells(const Usage& usage) {
  return {{format_count(usage.requests)},       {format_count(usage.errors)},
          {bytes_or_dash(usage.bytes_read)},    {bytes_or_dash(usage.bytes_written)},
          {bytes_or_dash(usage.spliced_bytes)}, {bytes_or_dash(usage.copied_bytes)}};
}

std::vector<Column> usage_columns() {
  return {{"REQUESTS"}, {"ERRORS", true, 4},  {"READ"},
          {"WRITTEN"},  {"SPLICED", true, 2}, {"COPIED", true, 3}};
}

Grid processes_by_use(const FuseReport& report, bool unicode) {
  Grid grid;
  grid.columns = {{"PID"}, {"NAME", false}};
  for (Column& column : usage_columns()) grid.columns.push_back(std::move(column));
  grid.columns.push_back({"COMMAND", false, 10, 16});
  std::vector<std::pair<Usage, const Process*>> sorted;
  for (std::size_t i = 0; i < report.requests.size(); ++i)
    sorted.emplace_back(fuse::usage_of(report.requests[i]), &report.report.processes[i]);
  std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) {
    const std::uint64_t left = a.first.bytes_read + a.first.bytes_written;
    const std::uint64_t right = b.first.bytes_read + b.first.bytes_written;
    return left != right ? left > right : a.first.requests > b.first.requests;
  });
  if (sorted.size() > kProcessLines) sorted.resize(kProcessLines);
  for (const auto& [usage, process] : sorted) {
    grid.lines.push_back({{process->pid == 0 ? "-" : fmt::format("{}", process->pid)},
                          {cut_to_width(printable(process->name, unicode), 20, unicode)}});
    for (Cell& cell : usage_cells(usage)) grid.lines.back().push_back(std::move(cell));
    grid.lines.back().push_back(
        {cut_to_width(shell_words(process->argv, unicode), kPathWidth, unicode)});
  }
  if (!report.other_requests.empty()) {
    const std::uint64_t others = report.report.others.processes;
    grid.lines.push_back(
        {{"-"}, {fmt::format("({} {})", format_count(others), others == 1 ? "other" : "others")}});
    for (Cell& cell : usage_cells(fuse::usage_of(report.other_requests)))
      grid.lines.back().push_back(std::move(cell));
    grid.lines.back().emplace_back();
  }
  return grid;
}

Grid files_grid(const FuseReport& report, bool unicode) {
  Grid grid;
  grid.columns = {{"FILE", false, 0, 24}};
  for (Column& column : usage_columns()) grid.columns.push_back(std::move(column));
  for (std::size_t i = 0; i < std::min(report.files.size(), kFileLines); ++i) {
    const fuse::FileUse& file = report.files[i];
    grid.lines.push_back({{cut_to_width(printable(file.path, unicode), kPathWidth, unicode)}});
    for (Cell& cell : usage_cells(fuse::usage_of(file.operations)))
      grid.lines.back().push_back(std::move(cell));
  }
  return grid;
}

std::string title(const FuseReport& report, bool unicode) {
  return fmt::format("zctrace mount: {} at {}", printable(report.source, unicode),
                     printable(report.mount_point, unicode));
}

std::vector<std::string> circumstances(const FuseReport& report, bool unicode) {
  return {format_ns(report.report.duration_ns),
          fmt::format("{} processes", format_count(report.report.processes.size() +
                                                   report.report.others.processes)),
          fmt::format("{} files", format_count(report.files.size())),
          fmt::format("cache {}", report.cache),
          report.splice ? "splice on" : "splice off",
          fmt::format("Linux {} {}", printable(report.report.host.kernel, unicode),
                      printable(report.report.host.arch, unicode)),
          fmt::format("{} CPUs", report.report.host.cpus)};
}

std::uint64_t calls_of(const fuse::ByOperation<fuse::TimedCounts>& all, Operation operation) {
  const auto found = all.find(operation);
  return found == all.end() ? 0 : found->second.calls;
}

std::vector<Fact> facts(const FuseReport& report) {
  const auto all = fuse::all_requests(report);
  const Usage usage = fuse::usage_of(all);
  const fuse::DaemonUse& daemon = report.daemon;
  std::vector<Fact> facts;
  facts.push_back({"in all",
                   {fmt::format("{} requests", format_count(usage.requests)),
                    fmt::format("{} errors", format_count(usage.errors)),
                    fmt::format("{} read", format_bytes(usage.bytes_read)),
                    fmt::format("{} written", format_bytes(usage.bytes_written)),
                    fmt::format("{} spliced", format_bytes(usage.spliced_bytes)),
                    fmt::format("{} copied", format_bytes(usage.copied_bytes))}});
  facts.push_back(
      {"daemon",
       {fmt::format("{} threads", format_count(daemon.threads)),
        fmt::format("{} user", format_ns(daemon.user_ns)),
        fmt::format("{} system", format_ns(daemon.system_ns)),
        fmt::format("{} voluntary and {} involuntary switches",
                    format_count(daemon.voluntary_switches),
                    format_count(daemon.involuntary_switches)),
        fmt::format("{} replies written and {} spliced", format_count(daemon.device.writes),
                    format_count(daemon.device.splices)),
        fmt::format("peak RSS {}", format_bytes(daemon.max_rss_bytes))}});
  if (const std::uint64_t unknown = calls_of(all, Operation::read_or_mmap); unknown != 0)
    facts.push_back({"note",
                     {fmt::format("of {} read requests it could not be told whether a read call "
                                  "or a mapping caused them (--cache none can)",
                                  format_count(unknown))},
                     Tone::dim});
  if (report.observed)
    for (Fact& fact : amplification_facts(report)) facts.push_back(std::move(fact));
  for (Fact& fact : completeness_facts(report.report.completeness))
    facts.push_back(std::move(fact));
  return facts;
}

// The rows behind the amplification.
struct CallsOfSide {
  std::string title;
  const Process* process;
};

std::vector<CallsOfSide> calls_of_sides(const FuseReport& report) {
  std::vector<CallsOfSide> sides;
  // `run` has shown the command's own already.
  if (report.report.command == "mount" && !report.observed->applications.rows.empty())
    sides.push_back(
        {"calls of applications on files of the mount:", &report.observed->applications});
  sides.push_back({"calls of the daemon:", &report.observed->daemon});
  return sides;
}

Wording wording_of(const TableStyle& style) {
  return {style.unicode, style.width != 0 && style.width < kNarrowWidth, false};
}

std::string more_files(const FuseReport& report) {
  if (report.files.size() <= kFileLines) return "";
  return fmt::format("and {} more files (in --json)",
                     format_count(report.files.size() - kFileLines));
}

template <typename Counts>
ordered_json operation_json(const Counts& counts) {
  return {{"count", counts.calls},
          {"errors", counts.errors},
          {"bytes", counts.bytes},
          {"spliced_bytes", counts.spliced_bytes},
          {"copied_bytes", counts.copied_bytes},
          {"latency_ns",
           {{"mean", counts.calls == 0 ? 0 : counts.wall_ns / counts.calls},
            {"max", counts.max_ns},
            {"total", counts.wall_ns}}}};
}

template <typename Counts>
ordered_json operations_json(const fuse::ByOperation<Counts>& operations) {
  ordered_json object = ordered_json::object();
  for (const auto& [operation, counts] : operations)
    object[std::string(fuse::operation_name(operation))] = operation_json(counts);
  return object;
}

ordered_json files_json(const FuseReport& report) {
  ordered_json files = ordered_json::array();
  for (const fuse::FileUse& file : report.files) {
    const Usage usage = fuse::usage_of(file.operations);
    files.push_back({{"path", valid_utf8(file.path)},
                     {"operations", operations_json(file.operations)},
                     {"bytes_read", usage.bytes_read},
                     {"bytes_written", usage.bytes_written},
                     {"spliced_bytes", usage.spliced_bytes},
                     {"copied_bytes", usage.copied_bytes}});
  }
  return files;
}

ordered_json process_json(const fuse::ByOperation<fuse::TimedCounts>& operations) {
  const Usage usage = fuse::usage_of(operations);
  return {{"requests", usage.requests},           {"bytes_read", usage.bytes_read},
          {"bytes_written", usage.bytes_written}, {"spliced_bytes", usage.spliced_bytes},
          {"copied_bytes", usage.copied_bytes},   {"operations", operations_json(operations)}};
}

std::string csv_counts(Operation operation, const OperationCounts& counts) {
  return fmt::format("{},{},{},{},{},{},{},{}\n", fuse::operation_name(operation), counts.calls,
                     counts.errors, counts.bytes, counts.spliced_bytes, counts.copied_bytes,
                     counts.wall_ns, counts.max_ns);
}

}  // namespace

std::string mount_sections(const FuseReport& report, const TableStyle& style) {
  Page page(style);
  if (report.requests.empty() && report.other_requests.empty()) {
    page.items({"nobody asked the file system for anything"});
  } else {
    page.grid(operations_grid(report));
    page.blank_line();
    page.grid(processes_by_use(report, style.unicode));
    page.blank_line();
    page.grid(files_grid(report, style.unicode));
    if (const std::string more = more_files(report); !more.empty()) page.items({more});
  }
  if (report.observed) {
    page.blank_line();
    page.grid(amplification_grid(report));
    for (const CallsOfSide& side : calls_of_sides(report)) {
      page.blank_line();
      page.items({side.title});
      page.grid(rows_grid(*side.process, std::nullopt, wording_of(style)));
    }
  }
  page.blank_line();
  page.facts(facts(report));
  return page.take();
}

std::string mount_table(const FuseReport& report, const TableStyle& style) {
  Page page(style);
  page.title(title(report, style.unicode));
  page.items(circumstances(report, style.unicode));
  page.blank_line();
  return page.take() + mount_sections(report, style);
}

std::string mount_markdown_sections(const FuseReport& report) {
  std::string text = markdown_table(operations_grid(report));
  text += markdown_table(processes_by_use(report, true));
  text += markdown_table(files_grid(report, true));
  if (const std::string more = more_files(report); !more.empty()) text += more + "\n\n";
  if (report.observed) {
    text += markdown_table(amplification_grid(report));
    for (const CallsOfSide& side : calls_of_sides(report))
      text += markdown_text(side.title) + "\n\n" +
              markdown_table(rows_grid(*side.process, std::nullopt, {true, false, false}));
  }
  for (const Fact& fact : facts(report))
    text += fmt::format("- {}: {}\n", markdown_text(fact.label),
                        markdown_text(fmt::format("{}", fmt::join(fact.items, ", "))));
  return text;
}

std::string mount_markdown(const FuseReport& report) {
  return fmt::format(
             "### {}\n\n{}\n\n", markdown_text(title(report, true)),
             markdown_text(fmt::format("{}", fmt::join(circumstances(report, true), ", ")))) +
         mount_markdown_sections(report);
}

std::string mount_csv(const FuseReport& report) {
  std::string csv =
      "what,pid,name,operation,count,errors,bytes,spliced_bytes,copied_bytes,wall_ns,max_ns\n";
  for (std::size_t i = 0; i < report.requests.size(); ++i) {
    const Process& process = report.report.processes[i];
    for (const auto& [operation, counts] : report.requests[i])
      csv += fmt::format("process,{},{},", process.pid, csv_field(printable(process.name, true))) +
             csv_counts(operation, counts);
  }
  for (const auto& [operation, counts] : report.other_requests)
    csv += "process,,(other processes)," + csv_counts(operation, counts);
  for (const fuse::FileUse& file : report.files)
    for (const auto& [operation, counts] : file.operations)
      csv += fmt::format("file,,{},", csv_field(printable(file.path, true))) +
             csv_counts(operation, counts);
  return csv;
}

void add_mount_json(ordered_json& object, const FuseReport& report) {
  object["mount"] = {{"source", valid_utf8(report.source)},
                     {"mount_point", valid_utf8(report.mount_point)},
                     {"cache", report.cache},
                     {"splice", report.splice}};
  const fuse::DaemonUse& daemon = report.daemon;
  object["daemon"] = {{"threads", daemon.threads},
                      {"user_ns", daemon.user_ns},
                      {"system_ns", daemon.system_ns},
                      {"voluntary_switches", daemon.voluntary_switches},
                      {"involuntary_switches", daemon.involuntary_switches},
                      {"max_rss_bytes", daemon.max_rss_bytes},
                      {"requests", daemon.device.requests},
                      {"replies_written", daemon.device.writes},
                      {"replies_spliced", daemon.device.splices},
                      {"proc_calls", daemon.proc_calls}};
  for (std::size_t i = 0; i < report.requests.size(); ++i) {
    for (ordered_json& process : object["processes"]) {
      const Process& requester = report.report.processes[i];
      // A reused pid has several entries on both sides; which belong together is not known.
      if (process["pid"] != requester.pid || process.contains("fuse")) continue;
      process["fuse"] = process_json(report.requests[i]);
      break;
    }
  }
  if (report.observed) object["amplification"] = amplification_json(report);
  if (!report.other_requests.empty())
    object["other_processes"]["fuse"] = process_json(report.other_requests);
  object["files"] = files_json(report);
}

ordered_json mount_json(const FuseReport& report) {
  ordered_json object = report_json(report.report);
  add_mount_json(object, report);
  return object;
}

}  // namespace zctrace
