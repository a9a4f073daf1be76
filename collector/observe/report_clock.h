// SPDX-License-Identifier: MIT
// The time that a report covers.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "collector/observe/machine/host.h"

namespace zctrace {

// Runs from its construction, or from the latest restart(), until stop().
class ReportClock {
 public:
  ReportClock() { restart(); }

  void restart() {
    started_at_ = now_rfc3339();
    start_ = std::chrono::steady_clock::now();
    end_.reset();
  }
  void stop() { end_ = std::chrono::steady_clock::now(); }
  // Writes the start, and the length until now or until stop(), into a report of any command.
  template <typename AnyReport>
  void stamp(AnyReport& report) const {
    using std::chrono::nanoseconds;
    const auto length = end_.value_or(std::chrono::steady_clock::now()) - start_;
    report.started_at = started_at_;
    report.duration_ns = static_cast<std::uint64_t>(nanoseconds(length).count());
  }

 private:
  std::string started_at_;
  std::chrono::steady_clock::time_point start_;
  std::optional<std::chrono::steady_clock::time_point> end_;
};

}  // namespace zctrace
