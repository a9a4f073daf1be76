// SPDX-License-Identifier: MIT
// One grid of cells for people, one object for scripts.
#include "cli/views/compare_view.h"

#include <fmt/format.h>
#include <cmath>

#include "cli/compare/insights.h"
#include "cli/text/printable.h"
#include "cli/text/units.h"
#include "cli/views/cell.h"
#include "cli/views/csv_view.h"
#include "cli/views/json_view.h"
#include "cli/views/markdown_view.h"
#include "cli/views/report/report_facts.h"

namespace zctrace {
namespace {

using nlohmann::ordered_json;

std::uint64_t rounded(double ns) { return static_cast<std::uint64_t>(std::llround(ns)); }

const char* splice_name(const MethodResult& result) { return result.daemon->splice ? "on" : "off"; }

// With FUSE, two columns behind METHOD and BUFFER, and one before the last.
std::vector<Cell> with_fuse(std::vector<Cell> line, const CompareResult& comparison,
                            const MethodResult& result, const char* process,
                            const std::string& requests) {
  if (!comparison.fuse) return line;
  line.insert(line.begin() + 2, {{splice_name(result)}, {process}});
  line.insert(line.end() - 1, {requests});
  return line;
}

std::vector<Cell> failed_line(const MethodResult& result, std::size_t columns, bool unicode) {
  std::vector<Cell> line(columns);
  line[0] = {result.method};
  line[1] = {result.buffer};
  // The reason stands where the last column, left aligned, has room.
  line[columns - 1] = {printable(*result.error, unicode),
                       result.supported ? Tone::warning : Tone::dim};
  for (std::size_t i = 2; i + 1 < columns; i++) line[i] = {"-", Tone::dim};
  return line;
}

// Syscalls and what comes with them, up to FAULTS.
std::vector<Cell> count_cells(const Process& counts) {
  const auto cell = [&](const std::string& text) { return Cell{counts.pid != 0 ? text : "-"}; };
  return {
      cell(format_count(counts.syscalls())),
      cell(format_count(counts.crossings())),
      cell(format_bytes(counts.copied_bytes())),
      cell(format_bytes(counts.in_kernel_bytes())),
      cell(fmt::format("{}/{}", format_count(counts.voluntary_switches()),
                       format_count(counts.involuntary_switches()))),
      cell(format_count(counts.minor_faults + counts.major_faults)),
  };
}

// It has no time of its own: it works while the client waits, and the other way round.
std::vector<Cell> daemon_line(const MethodResult& result) {
  const DaemonResult& daemon = *result.daemon;
  std::vector<Cell> line = {
      {result.method},
      {result.buffer},
      {"-", Tone::dim},
      {"-", Tone::dim},
      {"-", Tone::dim},
      {"-", Tone::dim},
      {format_ns(rounded(median_of(daemon.user_ns)))},
      {format_ns(rounded(median_of(daemon.system_ns)))},
  };
  for (Cell& cell : count_cells(daemon.counts)) line.push_back(std::move(cell));
  line.push_back({"-", Tone::dim});
  return line;
}

Grid comparison_grid(const CompareResult& comparison, bool unicode) {
  Grid grid;
  grid.columns = {
      {"METHOD", false, 0, 0},   {"BUFFER", true, 0, 0}, {"TIME", true, 0, 0},
      {"+-", true, 4, 0},        {"RATIO", true, 0, 0},  {"GB/S", true, 3, 0},
      {"USER", true, 8, 0},      {"SYSTEM", true, 2, 0}, {"SYSCALLS", true, 0, 0},
      {"CROSSINGS", true, 9, 0}, {"COPIED", true, 1, 0}, {"IN KERNEL", true, 6, 0},
      {"SW V/I", true, 0, 0},    {"FAULTS", true, 7, 0}, {"VERIFIED", false, 5, 0},
  };
  if (unicode) grid.columns[3].title = "±";
  const std::size_t columns = grid.columns.size();
  if (comparison.fuse) {
    grid.columns.insert(grid.columns.begin() + 2,
                        {{"SPLICE", false, 0, 0}, {"PROCESS", false, 0, 0}});
    grid.columns.insert(grid.columns.end() - 1, {"REQUESTS", true, 0, 0});
  }
  for (const MethodResult& result : comparison.methods) {
    if (!result.timed()) {
      grid.lines.push_back(
          with_fuse(failed_line(result, columns, unicode), comparison, result, "client", "-"));
      continue;
    }
    const Statistics wall = statistics_of(result.wall_ns);
    const auto relative = comparison.relative(result);
    std::string verified = !result.verified ? "-" : *result.verified ? "yes" : "NO";
    Tone tone = result.verified == false ? Tone::warning : Tone::plain;
    if (result.error) {  // ran, but not every time
      verified = printable(*result.error, unicode);
      tone = Tone::warning;
    }
    std::vector<Cell> line = {
        {result.method},
        {result.buffer},
        {format_ns(rounded(wall.median))},
        {fmt::format("{:.0f} %", wall.mean > 0 ? 100 * wall.stddev / wall.mean : 0), Tone::dim},
        {relative ? fmt::format("{:.2f}", *relative) : "-",
         result.label == comparison.baseline ? Tone::dim
         : relative && *relative < 0.5       ? Tone::good
                                             : Tone::plain},
        {fmt::format("{:.2f}", result.bytes_per_s() / 1e9)},
        {format_ns(rounded(median_of(result.user_ns)))},
        {format_ns(rounded(median_of(result.system_ns)))},
    };
    for (Cell& cell : count_cells(result.counts)) line.push_back(std::move(cell));
    line.push_back({verified, tone});
    grid.lines.push_back(with_fuse(std::move(line), comparison, result, "client", "-"));
    if (!result.daemon) continue;
    const bool counted = result.daemon->counts.pid != 0;
    grid.lines.push_back(with_fuse(daemon_line(result), comparison, result, "daemon",
                                   counted ? format_count(result.daemon->usage.requests) : "-"));
  }
  return grid;
}

std::string title(const CompareResult& comparison) {
  const bool same = comparison.source_kind == comparison.source_filesystem;
  return fmt::format("zctrace compare: {} from {}{} to {}", format_bytes(comparison.source_bytes),
                     comparison.source_kind,
                     same ? "" : fmt::format(" ({})", comparison.source_filesystem),
                     comparison.sink_kind);
}

std::vector<std::string> circumstances(const CompareResult& comparison, bool unicode) {
  std::vector<std::string> items = {
      fmt::format("{} {} each, interleaved", comparison.runs,
                  comparison.runs == 1 ? "run" : "runs"),
      comparison.source_kind == "fuse" ? "each reads all of the source from the daemon"
      : comparison.cold                ? "source dropped from the page cache before each"
                                       : "source in the page cache",
      comparison.drain};
  if (comparison.fuse) items.push_back("a FUSE daemon of one thread over tmpfs");
  items.push_back(fmt::format("{} {}, {} CPUs", printable(comparison.host.kernel, unicode),
                              printable(comparison.host.arch, unicode), comparison.host.cpus));
  return items;
}

// What client and daemon have in common, appended to `object`.
void append_counts(ordered_json& object, const Process& counts) {
  object["syscalls"] = counts.syscalls();
  object["crossings"] = counts.crossings();
  object["copied_bytes"] = counts.copied_bytes();
  object["in_kernel_bytes"] = counts.in_kernel_bytes();
  object["delivered_bytes"] = counts.delivered_bytes();
  object["voluntary_switches"] = counts.voluntary_switches();
  object["involuntary_switches"] = counts.involuntary_switches();
  object["minor_faults"] = counts.minor_faults;
  object["major_faults"] = counts.major_faults;
  object["rows"] = ordered_json::array();
  for (const Row& row : counts.rows) object["rows"].push_back(row_json(row, true));
}

ordered_json daemon_json(const DaemonResult& daemon) {
  ordered_json object;
  object["splice"] = daemon.splice;
  object["user_ns"] = rounded(median_of(daemon.user_ns));
  object["system_ns"] = rounded(median_of(daemon.system_ns));
  object["fuse_requests"] = daemon.usage.requests;
  object["fuse_bytes_read"] = daemon.usage.bytes_read;
  object["fuse_bytes_written"] = daemon.usage.bytes_written;
  object["fuse_spliced_bytes"] = daemon.usage.spliced_bytes;
  object["fuse_copied_bytes"] = daemon.usage.copied_bytes;
  append_counts(object, daemon.counts);
  return object;
}

ordered_json method_json(const CompareResult& comparison, const MethodResult& result) {
  ordered_json object;
  object["method"] = result.method;
  object["buffer_bytes"] = result.buffer_bytes ? ordered_json(*result.buffer_bytes) : nullptr;
  object["label"] = result.label;
  if (result.daemon) object["fuse_splice"] = result.daemon->splice;
  object["runs"] = result.wall_ns.size();
  object["supported"] = result.supported;
  object["error"] = result.error ? ordered_json(valid_utf8(*result.error)) : nullptr;
  if (!result.timed()) return object;
  const Statistics wall = statistics_of(result.wall_ns);
  ordered_json runs = ordered_json::array();
  for (const double run : result.wall_ns) runs.push_back(rounded(run));
  object["verified"] = result.verified ? ordered_json(*result.verified) : nullptr;
  object["wall_ns"] = {{"mean", rounded(wall.mean)},     {"stddev", rounded(wall.stddev)},
                       {"median", rounded(wall.median)}, {"min", rounded(wall.min)},
                       {"max", rounded(wall.max)},       {"runs", runs}};
  object["user_ns"] = rounded(median_of(result.user_ns));
  object["system_ns"] = rounded(median_of(result.system_ns));
  object["bytes"] = result.bytes;
  object["bytes_per_s"] = rounded(result.bytes_per_s());
  const auto relative = comparison.relative(result);
  object["relative"] = relative ? ordered_json(*relative) : nullptr;
  object["observed_wall_ns"] = rounded(result.observed_wall_ns);
  object["notifications"] = result.notifications;
  object["copied_notifications"] = result.copied_notifications;
  append_counts(object, result.counts);
  if (result.daemon) object["daemon"] = daemon_json(*result.daemon);
  return object;
}

std::string daemon_csv(const MethodResult& result) {
  const DaemonResult& daemon = *result.daemon;
  const Process& counts = daemon.counts;
  return fmt::format("{},{},{},true,,,,,,,,,,{},{},{},{},{},{},{},{},{},{},daemon,{},{}\n",
                     csv_field(result.method),
                     result.buffer_bytes ? fmt::to_string(*result.buffer_bytes) : "",
                     result.wall_ns.size(), rounded(median_of(daemon.user_ns)),
                     rounded(median_of(daemon.system_ns)), counts.syscalls(), counts.crossings(),
                     counts.copied_bytes(), counts.in_kernel_bytes(), counts.voluntary_switches(),
                     counts.involuntary_switches(), counts.minor_faults, counts.major_faults,
                     splice_name(result), daemon.usage.requests);
}

}  // namespace

std::string compare_table(const CompareResult& comparison, const TableStyle& style) {
  Page page(style);
  page.title(title(comparison));
  page.items(circumstances(comparison, style.unicode));
  page.blank_line();
  page.grid(comparison_grid(comparison, style.unicode));
  const auto lines = insights(comparison);
  const auto cautions = warnings(comparison);
  if (!lines.empty() || !cautions.empty()) page.blank_line();
  for (const std::string& line : lines) page.items({line});
  for (const std::string& line : cautions) page.items({line}, "warning", Tone::warning);
  if (comparison.completeness.lost_events() != 0) {
    page.blank_line();
    page.facts(completeness_facts(comparison.completeness));
  }
  return page.take();
}

ordered_json compare_json(const CompareResult& comparison) {
  ordered_json object;
  object["schema"] = "zctrace/1";
  object["command"] = "compare";
  object["version"] = version();
  object["host"] = host_json(comparison.host);
  object["argv"] = ordered_json::array();
  for (const std::string& word : comparison.argv) object["argv"].push_back(valid_utf8(word));
  object["exit_code"] = nullptr;
  object["started_at"] = comparison.started_at;
  object["duration_ns"] = comparison.duration_ns;
  object["completeness"] = completeness_json(comparison.completeness);
  object["source"] = {{"kind", comparison.source_kind},
                      {"path", valid_utf8(comparison.source_path)},
                      {"bytes", comparison.source_bytes},
                      {"filesystem", comparison.source_filesystem}};
  object["sink"] = {{"kind", comparison.sink_kind}};
  object["drain"] = comparison.drain;
  object["baseline"] = comparison.baseline;
  object["methods"] = ordered_json::array();
  for (const MethodResult& result : comparison.methods)
    object["methods"].push_back(method_json(comparison, result));
  object["insights"] = insights(comparison);
  object["warnings"] = warnings(comparison);
  return object;
}

std::string compare_csv(const CompareResult& comparison) {
  std::string csv =
      "method,buffer_bytes,runs,supported,error,verified,wall_median_ns,wall_stddev_ns,wall_min_ns,"
      "wall_max_ns,relative,bytes,bytes_per_s,user_ns,system_ns,syscalls,crossings,copied_bytes,"
      "in_kernel_bytes,voluntary_switches,involuntary_switches,minor_faults,major_faults,"
      "process,fuse_splice,fuse_requests\n";
  for (const MethodResult& result : comparison.methods) {
    csv += fmt::format("{},{},{},{},{},{}", csv_field(result.method),
                       result.buffer_bytes ? fmt::to_string(*result.buffer_bytes) : "",
                       result.wall_ns.size(), result.supported,
                       result.error ? csv_field(printable(*result.error, true)) : "",
                       result.verified ? fmt::to_string(*result.verified) : "");
    const char* const splice = result.daemon ? splice_name(result) : "";
    if (!result.timed()) {
      csv += fmt::format(",,,,,,,,,,,,,,,,,,client,{},\n", splice);
      continue;
    }
    const Statistics wall = statistics_of(result.wall_ns);
    const auto relative = comparison.relative(result);
    const Process& counts = result.counts;
    csv += fmt::format(
        ",{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},client,{},\n", rounded(wall.median),
        rounded(wall.stddev), rounded(wall.min), rounded(wall.max),
        relative ? fmt::format("{:.4f}", *relative) : "", result.bytes,
        rounded(result.bytes_per_s()), rounded(median_of(result.user_ns)),
        rounded(median_of(result.system_ns)), counts.syscalls(), counts.crossings(),
        counts.copied_bytes(), counts.in_kernel_bytes(), counts.voluntary_switches(),
        counts.involuntary_switches(), counts.minor_faults, counts.major_faults, splice);
    if (result.daemon) csv += daemon_csv(result);
  }
  return csv;
}

std::string compare_markdown(const CompareResult& comparison) {
  std::string text = "### " + title(comparison) + "\n\n";
  text += fmt::format("{}\n\n", fmt::join(circumstances(comparison, true), ", "));
  text += markdown_table(comparison_grid(comparison, true));
  for (const std::string& line : insights(comparison)) text += "- " + line + "\n";
  for (const std::string& line : warnings(comparison)) text += "- warning: " + line + "\n";
  return text;
}

}  // namespace zctrace
