// SPDX-License-Identifier: MIT
#include "collector/model/interval_sum.h"

#include <utility>

#include "collector/model/add_interval.h"

namespace zctrace {

namespace {

constexpr std::size_t kMostIntervals = 1000;

}  // namespace

void IntervalSum::add(const Report& interval) {
  if (intervals_.empty())
    sum_ = interval;
  else
    add_interval(sum_, interval, most_ended_);
  intervals_.push_back({interval.started_at, interval.duration_ns, interval.totals()});
  limit_intervals();
}

void IntervalSum::limit_intervals() {
  if (intervals_.size() <= kMostIntervals) return;
  for (std::size_t i = 0; i + 1 < intervals_.size(); i += 2) {
    IntervalTotals& first = intervals_[i];
    first.duration_ns += intervals_[i + 1].duration_ns;
    first.totals.add(intervals_[i + 1].totals);
    if (i != 0) intervals_[i / 2] = std::move(first);
  }
  if (intervals_.size() % 2 != 0) intervals_[intervals_.size() / 2] = std::move(intervals_.back());
  intervals_.resize((intervals_.size() + 1) / 2);
}

}  // namespace zctrace
