// One grid of cells for people, one object for scripts.
#include "cli/compare_view.h"

#include <fmt/format.h>

#include "cli/csv_view.h"
#include "cli/grid.h"
#include "cli/json_view.h"
#include "cli/markdown_view.h"
#include "cli/printable.h"
#include "cli/units.h"

namespace zctrace {
namespace {

using nlohmann::ordered_json;

std::uint64_t rounded(double ns) { return static_cast<std::uint64_t>(ns + 0.5); }

std::string buffer_name(const MethodResult& result) {
  const auto slash = result.label.find('/');
  return slash == std::string::npos ? "-" : result.label.substr(slash + 1);
}

std::vector<Cell> failed_line(const MethodResult& result, std::size_t columns, bool unicode) {
  std::vector<Cell> line(columns);
  line[0] = {result.method};
  line[1] = {buffer_name(result)};
  // The reason stands where the last column, left aligned, has room.
  line[columns - 1] = {printable(*result.error, unicode), result.supported ? Tone::warning : Tone::dim};
  for (std::size_t i = 2; i + 1 < columns; i++) line[i] = {"-", Tone::dim};
  return line;
}

Grid comparison_grid(const Comparison& comparison, bool unicode) {
  Grid grid;
  grid.columns = {
      {"METHOD", false, 0, 0},    {"BUFFER", true, 0, 0},    {"TIME", true, 0, 0},
      {"+-", true, 4, 0},         {"RATIO", true, 0, 0},     {"GB/S", true, 3, 0},
      {"USER", true, 8, 0},       {"SYSTEM", true, 2, 0},    {"SYSCALLS", true, 0, 0},
      {"CROSSINGS", true, 9, 0},  {"COPIED", true, 1, 0},    {"IN KERNEL", true, 6, 0},
      {"SW V/I", true, 0, 0},     {"FAULTS", true, 7, 0},    {"VERIFIED", false, 5, 0},
  };
  if (unicode) grid.columns[3].title = "±";
  for (const MethodResult& result : comparison.methods) {
    if (!result.timed()) {
      grid.lines.push_back(failed_line(result, grid.columns.size(), unicode));
      continue;
    }
    const Statistics wall = statistics_of(result.wall_ns);
    const auto relative = comparison.relative(result);
    const Process& counts = result.counts;
    const bool counted = counts.pid != 0;
    const auto count_cell = [&](const std::string& text) { return Cell{counted ? text : "-"}; };
    std::string verified = !result.verified ? "-" : *result.verified ? "yes" : "NO";
    Tone tone = result.verified == false ? Tone::warning : Tone::plain;
    if (result.error) {  // ran, but not every time
      verified = printable(*result.error, unicode);
      tone = Tone::warning;
    }
    grid.lines.push_back({
        {result.method},
        {buffer_name(result)},
        {format_ns(rounded(wall.median))},
        {fmt::format("{:.0f} %", wall.mean > 0 ? 100 * wall.stddev / wall.mean : 0), Tone::dim},
        {relative ? fmt::format("{:.2f}", *relative) : "-",
         result.label == comparison.baseline ? Tone::dim
         : relative && *relative < 0.5       ? Tone::good
                                             : Tone::plain},
        {fmt::format("{:.2f}", result.bytes_per_s() / 1e9)},
        {format_ns(rounded(result.user_ns))},
        {format_ns(rounded(result.system_ns))},
        count_cell(format_count(counts.syscalls())),
        count_cell(format_count(counts.crossings())),
        count_cell(format_bytes(counts.copied_bytes())),
        count_cell(format_bytes(counts.in_kernel_bytes())),
        count_cell(fmt::format("{}/{}", format_count(counts.voluntary_switches()),
                               format_count(counts.involuntary_switches()))),
        count_cell(format_count(counts.minor_faults + counts.major_faults)),
        {verified, tone},
    });
  }
  return grid;
}

std::string title(const Comparison& comparison) {
  return fmt::format("zctrace compare: {} from {} ({}) to {}", format_bytes(comparison.source_bytes),
                     comparison.source_kind, comparison.source_filesystem, comparison.sink_kind);
}

std::vector<std::string> circumstances(const Comparison& comparison, bool unicode) {
  return {fmt::format("{} {} each, interleaved", comparison.runs, comparison.runs == 1 ? "run" : "runs"),
          comparison.cold ? "source dropped from the page cache before each"
                          : "source in the page cache",
          comparison.drain,
          fmt::format("{} {}, {} CPUs", printable(comparison.host.kernel, unicode),
                      printable(comparison.host.arch, unicode), comparison.host.cpus)};
}

ordered_json method_json(const Comparison& comparison, const MethodResult& result) {
  ordered_json object;
  object["method"] = result.method;
  object["buffer_bytes"] = result.buffer_bytes ? ordered_json(*result.buffer_bytes) : nullptr;
  object["label"] = result.label;
  object["runs"] = result.wall_ns.size();
  object["supported"] = result.supported;
  object["error"] = result.error ? ordered_json(valid_utf8(*result.error)) : nullptr;
  if (!result.timed()) return object;
  const Statistics wall = statistics_of(result.wall_ns);
  ordered_json runs = ordered_json::array();
  for (const double run : result.wall_ns) runs.push_back(rounded(run));
  object["verified"] = result.verified ? ordered_json(*result.verified) : nullptr;
  object["wall_ns"] = {{"mean", rounded(wall.mean)}, {"stddev", rounded(wall.stddev)},
                       {"median", rounded(wall.median)}, {"min", rounded(wall.min)},
                       {"max", rounded(wall.max)}, {"runs", runs}};
  object["user_ns"] = rounded(result.user_ns);
  object["system_ns"] = rounded(result.system_ns);
  object["bytes"] = result.bytes;
  object["bytes_per_s"] = rounded(result.bytes_per_s());
  const auto relative = comparison.relative(result);
  object["relative"] = relative ? ordered_json(*relative) : nullptr;
  object["observed_wall_ns"] = rounded(result.observed_wall_ns);
  object["notifications"] = result.notifications;
  object["copied_notifications"] = result.copied_notifications;
  const Process& counts = result.counts;
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
  return object;
}

}  // namespace

std::string compare_table(const Comparison& comparison, const TableStyle& style) {
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

ordered_json compare_json(const Comparison& comparison) {
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

std::string compare_csv(const Comparison& comparison) {
  std::string csv =
      "method,buffer_bytes,runs,supported,error,verified,wall_median_ns,wall_stddev_ns,wall_min_ns,"
      "wall_max_ns,relative,bytes,bytes_per_s,user_ns,system_ns,syscalls,crossings,copied_bytes,"
      "in_kernel_bytes,voluntary_switches,involuntary_switches,minor_faults,major_faults\n";
  for (const MethodResult& result : comparison.methods) {
    csv += fmt::format("{},{},{},{},{},{}", csv_field(result.method),
                       result.buffer_bytes ? fmt::to_string(*result.buffer_bytes) : "",
                       result.wall_ns.size(), result.supported,
                       result.error ? csv_field(printable(*result.error, true)) : "",
                       result.verified ? fmt::to_string(*result.verified) : "");
    if (!result.timed()) {
      csv += ",,,,,,,,,,,,,,,,,\n";
      continue;
    }
    const Statistics wall = statistics_of(result.wall_ns);
    const auto relative = comparison.relative(result);
    const Process& counts = result.counts;
    csv += fmt::format(",{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}\n", rounded(wall.median),
                       rounded(wall.stddev), rounded(wall.min), rounded(wall.max),
                       relative ? fmt::format("{:.4f}", *relative) : "", result.bytes,
                       rounded(result.bytes_per_s()), rounded(result.user_ns),
                       rounded(result.system_ns), counts.syscalls(), counts.crossings(),
                       counts.copied_bytes(), counts.in_kernel_bytes(), counts.voluntary_switches(),
                       counts.involuntary_switches(), counts.minor_faults, counts.major_faults);
  }
  return csv;
}

std::string compare_markdown(const Comparison& comparison) {
  std::string text = "### " + title(comparison) + "\n\n";
  text += fmt::format("{}\n\n", fmt::join(circumstances(comparison, true), ", "));
  text += markdown_table(comparison_grid(comparison, true));
  for (const std::string& line : insights(comparison)) text += "- " + line + "\n";
  for (const std::string& line : warnings(comparison)) text += "- warning: " + line + "\n";
  return text;
}

}  // namespace zctrace
