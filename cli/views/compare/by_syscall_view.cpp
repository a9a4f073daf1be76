// SPDX-License-Identifier: MIT
// Adds up the rows of a process that differ only in where bytes come from and go to.
#include "cli/views/compare/by_syscall_view.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "cli/text/units.h"

namespace zctrace {
namespace {

constexpr std::size_t kTotalColumn = 4;

struct CallTimes {
  std::uint64_t calls = 0;
  std::uint64_t errors = 0;
  std::uint64_t total_ns = 0;
  std::uint64_t timed = 0;   // calls
  std::uint64_t min_ns = 0;  // of those; 0: none
  std::uint64_t max_ns = 0;
};

std::vector<std::pair<std::string, CallTimes>> by_syscall(const Process& counts) {
  std::map<std::string, CallTimes> by_name;
  for (const Row& row : counts.rows) {
    CallTimes& times = by_name[row.syscall];
    times.calls += row.calls;
    times.errors += row.errors;
    times.total_ns += row.wall_ns;
    times.timed += row.latency.total();
    if (row.min_ns != 0)
      times.min_ns = times.min_ns == 0 ? row.min_ns : std::min(times.min_ns, row.min_ns);
    times.max_ns = std::max(times.max_ns, row.max_ns);
  }
  std::vector<std::pair<std::string, CallTimes>> sorted(by_name.begin(), by_name.end());
  std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) {
    return a.second.total_ns > b.second.total_ns;
  });
  return sorted;
}

void add_lines(Grid& grid, const std::string& label, const Process& counts) {
  std::string method = label;  // in its first line only
  for (const auto& [name, times] : by_syscall(counts)) {
    if (times.calls + times.errors == 0) continue;
    const bool timed = times.timed != 0;
    grid.lines.push_back({{std::exchange(method, "")},
                          {name},
                          {format_count(times.calls)},
                          {format_count(times.errors)},
                          {timed ? format_ns(times.total_ns) : "-"},
                          {timed ? format_ns(times.min_ns) : "-"},
                          {timed ? format_ns(times.total_ns / times.timed) : "-"},
                          {timed ? format_ns(times.max_ns) : "-"}});
  }
}

}  // namespace

Section by_syscall_section(const CompareResult& compared) {
  Section section;
  section.title = "By syscall, in the run that was observed";
  section.grid.columns = {{"METHOD", false, 0, 0}, {"SYSCALL", false, 0, 0}, {"CALLS", true, 0, 0},
                          {"ERRORS", true, 4, 0},  {"TOTAL", true, 0, 0},    {"MIN", true, 3, 0},
                          {"MEAN", true, 1, 0},    {"MAX", true, 2, 0}};
  for (const MethodResult& result : compared.methods) {
    if (!result.counted()) continue;
    add_lines(section.grid, result.label, result.counts);
    if (result.daemon) add_lines(section.grid, result.label + " daemon", result.daemon->counts);
  }
  section.notes = {"Times include waiting, and the cost of observing."};
  const bool untimed =
      std::any_of(section.grid.lines.begin(), section.grid.lines.end(),
                  [](const std::vector<Cell>& line) { return line[kTotalColumn].text == "-"; });
  if (untimed)
    section.notes.emplace_back(
        "- where there is no time: operations of io_uring are not calls, with an entry and an "
        "exit, but part of the calls that submit or await them.");
  return section;
}

}  // namespace zctrace
