// SPDX-License-Identifier: MIT
// The intervals of an observation added up again, for a format that has one report. Pure, no I/O;
// one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
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

// Memory is bounded: `most_ended` as in add_interval(); when there are many intervals, each two
// neighbours become one.
class IntervalSum {
 public:
  explicit IntervalSum(std::size_t most_ended) : most_ended_(most_ended) {}

  // Each interval of the same observation, in the order of time.
  void add(const Report& interval);
  bool empty() const { return intervals_.empty(); }
  // All intervals together. Differs from an observation without intervals in that a maximum may be
  // an upper bound.
  const Report& whole() const { return sum_; }
  const std::vector<IntervalTotals>& intervals() const { return intervals_; }

 private:
  void limit_intervals();

  std::size_t most_ended_;
  Report sum_;
  std::vector<IntervalTotals> intervals_;
};

}  // namespace zctrace
