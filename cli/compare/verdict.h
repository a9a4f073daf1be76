// SPDX-License-Identifier: MIT
// The answer of a comparison: which row to take, and how sure that is.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/compare/ranking.h"
#include "cli/compare/result.h"

namespace zctrace {

// A row that is clearly better than another, by time or by CPU time.
struct Choice {
  const MethodResult* take = nullptr;     // nullptr: no row is clearly better than the baseline
  const MethodResult* against = nullptr;  // the baseline; if that is the one to take, the next
  Rows alike;                             // which cannot be told apart from `take` by time
  bool by_time = false;                   // false: only the CPU time differs
  double speed = 0;                       // how many times as fast as `against`
  Interval speed_interval;                // that both medians together allow
  std::optional<double> cpu;              // times that of `against`; nullopt: too little to measure
};

// The fastest row; of those that cannot be told apart by time, the one with the least CPU time. A
// row that beats only rows that the baseline beats, too, is not chosen.
Choice choose(const CompareResult& compared);

// The answer in sentences, the most important one first, or why there is none.
std::vector<std::string> verdict(const CompareResult& compared);

}  // namespace zctrace
