// SPDX-License-Identifier: MIT
// The intervals of an observation added up again, for a format that has one report. Pure, no I/O;
// one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "collector/model/report.h"

namespace zctrace {

// One interval without its processes.
struct IntervalTotals {
  std::string started_at;
  std::uint64_t duration_ns = 0;
  Totals totals;
};

// Memory is bounded: at most `most_processes` are kept apart, the others are summed; when there are
// many intervals, each two neighbours become one.
class IntervalSum {
 public:
  explicit IntervalSum(std::size_t most_processes) : most_processes_(most_processes) {}

  // Each interval of the same observation, in the order of time.
  void add(const Report& interval);
  bool empty() const { return intervals_.empty(); }
  // All intervals together. Differs from an observation without intervals in that a maximum may be
  // an upper bound.
  Report whole() const;
  const std::vector<IntervalTotals>& intervals() const { return intervals_; }

 private:
  void add(const Process& process);
  void add(const Completeness& interval);
  void limit_processes();
  void limit_intervals();

  std::size_t most_processes_;
  Report sum_;                                  // without its processes
  std::map<std::uint64_t, Process> processes_;  // by account
  std::vector<IntervalTotals> intervals_;
};

}  // namespace zctrace
