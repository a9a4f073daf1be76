// SPDX-License-Identifier: MIT
// The report that `export` serves beside its metrics: everything since the start, by process.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>

#include "collector/model/process_summary.h"
#include "collector/model/report.h"

namespace zctrace {

// Owns the counts of processes that have ended, and what happened lately. Everyone who can connect
// may read it, so it has no command lines and no paths. Its size is bounded. One thread.
class LiveReport {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::size_t kMostProcesses = 100;  // listed; the others are added up
  static constexpr std::size_t kMostIntervals = 120;
  static constexpr Clock::duration kInterval = std::chrono::seconds(1);  // the shortest

  // The counts as they stand now (`latest`), and as they stood at the reading before. A process
  // that is only in `earlier` has ended, and was complete there.
  void add(const Report& earlier, const Report& latest, Clock::time_point now,
           const std::string& time);

  // What --json would write of the counts, with "intervals". `describe` completes the report
  // (AttachSession::describe).
  nlohmann::ordered_json json(const Report& standing,
                              const std::function<void(Report&)>& describe) const;

 private:
  struct LiveInterval {
    std::string started_at;
    std::uint64_t duration_ns;
    ProcessSummary sums;
  };

  Totals ended_;
  ProcessSummary ended_sums_;
  std::deque<LiveInterval> intervals_;  // the oldest first
  bool begun_ = false;
  ProcessSummary at_start_;  // of the interval that has not ended
  Clock::time_point start_;
  std::string started_at_;
};

}  // namespace zctrace
