// SPDX-License-Identifier: MIT
// One line, or one object, a side; each per GB of the same bytes.
#include "cli/views/amplification_view.h"

#include <fmt/format.h>

#include "cli/text/units.h"
#include "cli/views/json_view.h"

namespace zctrace {
namespace {

using fuse::Amplification;
using fuse::FuseReport;
using fuse::Side;
using nlohmann::ordered_json;

constexpr std::size_t kColumns = 10;

Amplification amplification_of(const FuseReport& report) {
  return fuse::amplification_of(*report.observed, fuse::all_requests(report));
}

std::string slashed(const std::string& voluntary, const std::string& involuntary) {
  return voluntary + "/" + involuntary;
}

// A count for one of `per`; "-" where there is none.
std::string ratio_text(std::uint64_t count, std::uint64_t per) {
  if (per == 0) return "-";
  return fmt::format("{:.2f}", static_cast<double>(count) / static_cast<double>(per));
}

std::vector<Cell> side_line(const char* name, const Side& side, const Amplification& all,
                            bool switches) {
  const auto each = [&all](std::uint64_t count) { return per_gb_text(count, all.bytes); };
  return {
      {name},
      {format_count(side.calls)},
      {format_bytes(side.bytes())},
      {format_bytes(side.copied_bytes)},
      {format_bytes(side.in_kernel_bytes)},
      {switches
           ? slashed(format_count(side.switches.voluntary), format_count(side.switches.involuntary))
           : "-"},
      {ratio_text(side.calls, all.applications.calls)},
      {each(side.calls)},
      {switches ? slashed(each(side.switches.voluntary), each(side.switches.involuntary)) : "-"},
      {ratio_text(side.copied_bytes, all.bytes)}};
}

// Of the daemon's calls, those that a file system which does not count would not make.
std::vector<Cell> own_line(std::uint64_t calls, const Amplification& all) {
  std::vector<Cell> line(kColumns, {"", Tone::dim});
  line[0].text = "  to know who asks";
  line[1].text = format_count(calls);
  line[6].text = ratio_text(calls, all.applications.calls);
  line[7].text = per_gb_text(calls, all.bytes);
  return line;
}

ordered_json side_json(const Side& side, const Amplification& all, bool switches) {
  ordered_json counts = {{"calls", side.calls},
                         {"bytes", side.bytes()},
                         {"copied_bytes", side.copied_bytes},
                         {"in_kernel_bytes", side.in_kernel_bytes}};
  if (switches) {
    counts["voluntary_switches"] = side.switches.voluntary;
    counts["involuntary_switches"] = side.switches.involuntary;
  }
  ordered_json each = nullptr;
  if (all.bytes != 0) {
    each = ordered_json::object();
    for (const auto& [name, count] : counts.items())
      each[name] = *per_gb(count.get<std::uint64_t>(), all.bytes);
  }
  counts["per_gb"] = std::move(each);
  return counts;
}

// Times are left out: the daemon's calls are counted without a clock where that can be done.
ordered_json rows_json(const Process& process) {
  ordered_json rows = ordered_json::array();
  for (const Row& row : process.rows) rows.push_back(row_json(row, false));
  return rows;
}

}  // namespace

Grid amplification_grid(const FuseReport& report) {
  const Amplification all = amplification_of(report);
  Grid grid;
  grid.columns = {
      {"AMPLIFICATION", false}, {"CALLS"},           {"BYTES", true, 1},    {"COPIED", true, 4},
      {"IN KERNEL", true, 5},   {"SW V/I", true, 3}, {"PER CALL", true, 6}, {"CALLS/GB"},
      {"SW V/I /GB", true, 2},  {"COPIES"}};
  grid.lines = {side_line("application calls", all.applications, all, true),
                side_line("FUSE requests", all.requests, all, false),
                side_line("daemon syscalls", all.daemon, all, true),
                own_line(report.daemon.proc_calls, all)};
  return grid;
}

std::vector<Fact> amplification_facts(const FuseReport& report) {
  const std::string bytes = format_bytes(amplification_of(report).bytes);
  return {{"amplification",
           {"/GB is for a GB of the " + bytes + " that applications moved",
            "PER CALL for one of their calls", "COPIES of each byte through user space"},
           Tone::dim}};
}

ordered_json amplification_json(const FuseReport& report) {
  const Amplification all = amplification_of(report);
  ordered_json object = {{"bytes", all.bytes},
                         {"applications", side_json(all.applications, all, true)},
                         {"requests", side_json(all.requests, all, false)},
                         {"daemon", side_json(all.daemon, all, true)}};
  object["applications"]["rows"] = rows_json(report.observed->applications);
  object["daemon"]["rows"] = rows_json(report.observed->daemon);
  return object;
}

}  // namespace zctrace
