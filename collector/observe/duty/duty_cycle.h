// SPDX-License-Identifier: MIT
// Observes slices of the time (--duty), and estimates from them what happened in all of it.
#pragma once

#include <chrono>
#include <cstddef>

#include "collector/model/duty/duty_estimator.h"
#include "collector/model/duty/slice_schedule.h"

namespace zctrace {

class Session;

// Owns the estimates. One thread.
class DutyCycle {
 public:
  // `share`: of the time, above 0 and below 1. `session` has ProbeOptions::sliced and outlives
  // this. `max_ended`: as of DutyEstimator.
  DutyCycle(Session& session, double share, std::size_t max_ended);

  // How long until the first call of step().
  std::chrono::nanoseconds first() { return schedule_.first_gap(); }
  // Opens a slice, or closes it and reads its counts. Returns how long until the next call. Throws
  // Error.
  std::chrono::nanoseconds step();
  // While one is, the counts must not be read.
  bool is_open() const { return open_; }
  // Closes an open slice. Takes one if there was none, which takes a moment. Call it once, at the
  // end, before Session::stop().
  void finish();

  DutyEstimator& estimates() { return estimates_; }
  const DutyEstimator& estimates() const { return estimates_; }

 private:
  using Clock = std::chrono::steady_clock;

  void open();
  void close();

  Session& session_;
  DutyEstimator estimates_;
  SliceSchedule schedule_;
  bool open_ = false;
  Clock::time_point opened_;
  Clock::time_point closed_;  // the latest, or the beginning
};

}  // namespace zctrace
