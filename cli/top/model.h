// SPDX-License-Identifier: MIT
// What `zctrace top` knows: the counts of an interval beside those since the start, a process
// each, and the orders and filters to look at them in. Pure, no I/O, no layout.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collector/model/report.h"

namespace zctrace {

// A process's counts without its rows: these add up over processes and over time.
struct Figures {
  std::uint64_t syscalls = 0;
  std::uint64_t errors = 0;
  std::uint64_t copied_bytes = 0;
  std::uint64_t in_kernel_bytes = 0;
  std::uint64_t delivered_bytes = 0;
  std::uint64_t zero_copy_bytes = 0;
  std::uint64_t voluntary_switches = 0;
  std::uint64_t involuntary_switches = 0;
  std::uint64_t cpu_ns = 0;

  std::uint64_t moved_bytes() const { return copied_bytes + in_kernel_bytes; }
  std::uint64_t switches() const { return voluntary_switches + involuntary_switches; }
  std::optional<double> zero_copy_share() const;  // nullopt: delivered nothing
  Figures& operator+=(const Figures& other);
};

Figures figures_of(const Process& process);

// A pid alone comes back.
struct ProcessKey {
  std::int64_t pid = 0;
  std::int64_t tid = 0;
  std::uint64_t start_ns = 0;
  auto operator<=>(const ProcessKey&) const = default;
};

struct TopProcess {
  ProcessKey key;
  bool ended = false;                 // during the interval
  const Process* total = nullptr;     // since observation began
  const Process* interval = nullptr;  // null: did nothing
  Figures total_figures;
  Figures interval_figures;

  const Figures& figures(bool totals) const { return totals ? total_figures : interval_figures; }
};

// The state at the end of an interval. Immutable; owns what its processes point to.
struct TopSample {
  double seconds = 0;        // length of the interval; 0: the first sample, nothing to compare with
  double total_seconds = 0;  // since the first sample
  bool latency = true;
  Completeness completeness;          // since observation began
  std::vector<TopProcess> processes;  // those that run or have ended in the interval
  Figures interval;                   // of all processes
  Figures total;                      // also of those that ended long ago

  const Figures& sum(bool totals) const { return totals ? total : interval; }
  const TopProcess* find(const ProcessKey& key) const;

  Report standing;
  Report between;
};

// Makes samples of reports. Holds the latest only; of processes that a report no longer has it
// keeps nothing but their sum.
class TopModel {
 public:
  // `standing` counts from the beginning of the observation; `elapsed` is the time since the
  // report before it, of no meaning with the first.
  std::shared_ptr<const TopSample> add(Report standing, std::chrono::nanoseconds elapsed);

 private:
  std::shared_ptr<const TopSample> last_;
  Figures gone_;
};

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

// Whether `filter` is part of the name or of the command's base name, whatever the case, or is
// the pid. An empty one fits everybody.
bool fits_filter(const Process& process, std::string_view filter);

// Of the time inside the call, the part switched out; nullopt where no time was measured.
std::optional<double> off_cpu_share(const Row& row);

}  // namespace zctrace
