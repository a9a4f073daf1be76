// SPDX-License-Identifier: MIT
// One line for each side. All figures per GB refer to the same bytes.
#include "cli/views/mount/amplification_view.h"

#include <fmt/format.h>

#include <string>
#include <utility>

#include "cli/text/units.h"
#include "cli/views/columns.h"
#include "cli/views/wording.h"
#include "collector/fuse/report/amplification.h"
#include "collector/fuse/report/fuse_report.h"

namespace zctrace {
namespace {

using fuse::Amplification;
using fuse::Side;

Amplification amplification_of(const Report& report) {
  return fuse::amplification_of(*report.mount->observed, fuse::all_requests(report));
}

// `count` divided by `per`; "-" where `per` is 0.
std::string ratio_text(std::uint64_t count, std::uint64_t per) {
  if (per == 0) return "-";
  return fmt::format("{:.2f}", static_cast<double>(count) / static_cast<double>(per));
}

struct SideLine {
  const char* name;
  const Side& side;
  const Amplification& all;
  bool has_switches;
  bool is_part = false;  // of the line above: only its calls are shown

  Cell cell(std::string text) const { return {std::move(text), is_part ? Tone::dim : Tone::plain}; }
  Cell bytes(std::uint64_t count) const { return cell(is_part ? "" : format_bytes(count)); }
  Cell switches() const {
    if (!has_switches) return cell(is_part ? "" : "-");
    return cell(switches_text(side.switches.voluntary, side.switches.involuntary, full_numerals()));
  }
  Cell switches_per_gb() const {
    if (!has_switches) return cell(is_part ? "" : "-");
    return cell(per_gb_text(side.switches.voluntary, all.bytes) + "/" +
                per_gb_text(side.switches.involuntary, all.bytes));
  }
};

Columns<SideLine> side_columns() {
  return {
      {{"AMPLIFICATION", false}, [](const SideLine& line) { return line.cell(line.name); }, "", {}},
      {{"CALLS"},
       [](const SideLine& line) { return line.cell(format_count(line.side.calls)); },
       "",
       {}},
      {{"BYTES", true, 1},
       [](const SideLine& line) { return line.bytes(line.side.bytes()); },
       "",
       {}},
      {{"COPIED", true, 4},
       [](const SideLine& line) { return line.bytes(line.side.copied_bytes); },
       "",
       {}},
      {{"IN KERNEL", true, 5},
       [](const SideLine& line) { return line.bytes(line.side.in_kernel_bytes); },
       "",
       {}},
      {{std::string(kSwitchesTitle), true, 3},
       [](const SideLine& line) { return line.switches(); },
       "",
       {}},
      {{"PER APP CALL", true, 6},
       [](const SideLine& line) {
         return line.cell(ratio_text(line.side.calls, line.all.applications.calls));
       },
       "",
       {}},
      {{"CALLS/GB"},
       [](const SideLine& line) { return line.cell(per_gb_text(line.side.calls, line.all.bytes)); },
       "",
       {}},
      {{"SWITCHES/GB", true, 2},
       [](const SideLine& line) { return line.switches_per_gb(); },
       "",
       {}},
      {{"COPIES/BYTE"},
       [](const SideLine& line) {
         return line.cell(line.is_part ? "" : ratio_text(line.side.copied_bytes, line.all.bytes));
       },
       "",
       {}},
  };
}

// "4.2 daemon syscalls"
std::string per_call(std::uint64_t count, const Amplification& all, const char* what) {
  return ratio_text(count, all.applications.calls) + " " + what;
}

std::string verdict(const Amplification& all) {
  if (all.applications.calls == 0)
    return "no application made a call that moves bytes on a file of the mount";
  return fmt::format("FUSE adds {} and {} to each application call",
                     per_call(all.requests.calls, all, "requests"),
                     per_call(all.daemon.calls, all, "daemon syscalls"));
}

}  // namespace

Grid amplification_grid(const Report& report) {
  const Amplification all = amplification_of(report);
  Side identifying;  // calls that a file system without counting would not make
  identifying.calls = report.mount->daemon.proc_calls;
  const std::vector<SideLine> lines = {
      {"application calls", all.applications, all, true},
      {"FUSE requests", all.requests, all, false},
      {"daemon syscalls", all.daemon, all, true},
      {"  to identify requesters", identifying, all, false, true},
  };
  Grid grid = grid_of(side_columns(), lines);
  grid.legend = {
      {"PER APP CALL", "PER APP CALL: for each application call"},
      {"CALLS/GB",
       fmt::format("/GB: for each GB of the {} that applications moved", format_bytes(all.bytes))},
      {"COPIES/BYTE", "COPIES/BYTE: how often each of these bytes was copied through user space"},
      {std::string(kSwitchesTitle),
       fmt::format("{}: voluntary / involuntary context switches", kSwitchesTitle)}};
  return grid;
}

Fact amplification_verdict(const Report& report) {
  return {"cost of FUSE", {verdict(amplification_of(report))}};
}

}  // namespace zctrace
