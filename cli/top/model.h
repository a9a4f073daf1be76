// SPDX-License-Identifier: MIT
// What `zctrace top` shows: the counts of an interval beside those since the start, for each
// process or group of them, and the orders and filters to look at them in. Pure, no I/O, no layout.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collector/model/process_summary.h"
#include "collector/model/report.h"
#include "collector/model/timing/observer_cost.h"
#include "collector/observe/owner.h"

namespace zctrace {

// The kernel gives a pid again; together with the start time it is unique.
struct LineKey {
  std::int64_t pid = 0;
  std::int64_t tid = 0;
  std::uint64_t start_ns = 0;
  std::string group = {};  // of a group: its name; the rest is 0
  auto operator<=>(const LineKey&) const = default;
};

// A process, or the sum of a group of them.
struct TopProcess {
  LineKey key;
  std::uint64_t members = 1;
  bool ended = false;                 // during the interval; of a group: every member
  const Process* total = nullptr;     // since observation began
  const Process* interval = nullptr;  // null: did nothing
  ProcessSummary total_figures;
  ProcessSummary interval_figures;
  ProcessOwner owner;

  const ProcessSummary& figures(bool totals) const {
    return totals ? total_figures : interval_figures;
  }
};

// What observing costs.
struct TopCost {
  ObserverCost total;  // since the programs were loaded
  ObserverCost interval;
};

// The state at the end of an interval. Immutable; owns what its processes point to.
struct TopSample {
  double seconds = 0;        // length of the interval; 0: the first sample, nothing to compare with
  double total_seconds = 0;  // since the first sample
  bool latency = true;
  bool channels = false;              // whether files and peers were counted
  Completeness completeness;          // since observation began
  std::vector<TopProcess> processes;  // those that run or have ended in the interval
  ProcessSummary interval;            // of all processes
  ProcessSummary total;               // also of those that ended long ago
  std::optional<TopCost> cost;        // if asked for
  std::optional<double> duty;         // figures are estimates from this share of the time

  const ProcessSummary& sum(bool totals) const { return totals ? total : interval; }
  const TopProcess* find(const LineKey& key) const;

  Report standing;
  Report between;
};

// Makes samples of reports. Holds the latest only; of processes that a report no longer has it
// keeps nothing but their sum.
class TopModel {
 public:
  // `standing` counts from the beginning of the observation; `elapsed` is the time since the
  // report before it, of no meaning with the first. `owners` has been updated with its processes.
  // `cost` is what observing took so far.
  std::shared_ptr<const TopSample> add(Report standing, std::chrono::nanoseconds elapsed,
                                       const OwnerCache& owners = OwnerCache(),
                                       std::optional<CostReading> cost = std::nullopt);

 private:
  std::shared_ptr<const TopSample> last_;
  ProcessSummary gone_;
  CostReading cost_;  // at the latest sample
};

// What makes one line: a process, or all those with the same name, unit or container.
enum class TopGroup { process, name, unit, container };
inline constexpr int kTopGroups = 4;

std::optional<TopGroup> parse_top_group(std::string_view text);
std::string_view group_name(TopGroup by);
// The processes in this line of the groups.
std::vector<const TopProcess*> members_of(const TopSample& sample, const LineKey& line,
                                          TopGroup by);
// The groups of a sample, as a sample of their sums. Processes in no unit or container are one
// group, called "(no unit)" or "(no container)".
std::shared_ptr<const TopSample> grouped(std::shared_ptr<const TopSample> sample, TopGroup by);

enum class ProcessSort {
  moved,
  syscalls,
  copied,
  in_kernel,
  delivered,
  zero_copy,
  switches,
  cpu,
  errors,
  name,
  pid
};

enum class RowSort { bytes, calls, p50, p99, off_cpu, switches, errors, syscall };

// Numbers from the greatest down, names and pids up; `reversed` turns either round. What has no
// value comes last.
void sort_processes(std::vector<const TopProcess*>& processes, ProcessSort by, bool reversed,
                    bool totals);
void sort_rows(std::vector<const Row*>& rows, RowSort by, bool reversed);

// Whether `filter` is part of the name or of the command's base name, in upper or lower case, or
// is the pid. Every process matches an empty one.
bool matches_filter(const Process& process, std::string_view filter);

// Of the time inside the call, the part switched out; nullopt where no time was measured.
std::optional<double> off_cpu_share(const Row& row);

}  // namespace zctrace
