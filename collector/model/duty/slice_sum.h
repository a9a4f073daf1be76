// SPDX-License-Identifier: MIT
// One count over slices of time, and what it stands for. Pure.
#pragma once

#include <cstdint>

namespace zctrace {

// A slice: when it began after the end of the slice before, and how long it was.
struct Slice {
  double gap_ns = 0;  // of the first one: since the observation began
  double ns = 0;
  double before_ns = 0;  // length of the slice before; 0: this is the first
};

// Estimates how often something happened in all, gaps included. Between two slices it is taken to
// happen at the mean of both their rates, so the estimate grows with each slice and never falls.
// Slices begin at random times, so no pattern of what is counted can hide from all of them.
class SliceSum {
 public:
  // `count` happened in this slice, in units of `unit`: what happens at its ends is in the slice or
  // not as a whole.
  void add(const Slice& slice, double count, double unit);
  // The time after the last slice, `ns`.
  void add_tail(double ns) { sum_ += rate_ * ns; }

  double sum() const { return sum_; }
  double variance() const { return variance_; }
  // Whether the next gap adds nothing.
  bool is_still() const { return rate_ == 0; }

 private:
  double rate_ = 0;  // in the latest slice, by nanosecond
  double sum_ = 0;
  double variance_ = 0;
};

}  // namespace zctrace
