// SPDX-License-Identifier: MIT
// Which rows of a comparison are ahead, and by more than noise.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/compare/result.h"
#include "cli/compare/sentences.h"

namespace zctrace {

// The rows that lead in one figure.
struct Leaders {
  // The row with the least median first, then those that do not differ from it by more than the
  // spread. Empty: no row has enough runs.
  Rows rows;
  // The best of the others; nullptr: no row is clearly worse.
  const MethodResult* next = nullptr;

  // Whether the leaders are ahead of anything at all.
  bool decided() const { return next != nullptr; }
  bool include(const MethodResult& result) const;
};

// Whether a row's time says anything: it was timed, it delivered what was sent, and the method does
// its work on this sink.
bool time_means_something(const CompareResult& compared, const MethodResult& result);

// User and system time of client and daemon, one a timed run.
std::vector<double> cpu_times(const MethodResult& result);

// By wall time, and by CPU time of client and daemon together.
Leaders fastest_rows(const CompareResult& compared);
Leaders cheapest_rows(const CompareResult& compared);

// What observing added to the times, as a share of them: the median of the rows, and where it lies.
struct ObservingCost {
  double added = 0;
  Interval interval;
  std::size_t rows = 0;
};
// nullopt: it is not measurable, because it lies within the spread, or there are too few rows.
std::optional<ObservingCost> cost_of_observing(const CompareResult& compared);

}  // namespace zctrace
