// SPDX-License-Identifier: MIT
// What attach and run do with each interval of -i.
#pragma once

#include <memory>

#include "cli/advice/advisor.h"
#include "cli/output/outputs.h"
#include "cli/recording/recorder.h"
#include "collector/model/report.h"
#include "collector/observe/stacks/stack_profile.h"

namespace zctrace {

// Refers to the others, which must outlive it. One thread.
class IntervalReports {
 public:
  // `recorder`: nullptr where nothing is recorded. `stop_fd` is readable when zctrace should end.
  IntervalReports(Outputs& outputs, const Advisor& advisor, Recorder* recorder, int stop_fd)
      : outputs_(outputs), advisor_(advisor), recorder_(recorder), stop_fd_(stop_fd) {}

  void write(Report interval);
  // After the last one. `whole`: of all of them. Returns the exit status that follows from what was
  // lost, 0 for nothing. Throws Error.
  int finish(const StackProfile* stacks, const Report& whole, bool strict);

 private:
  Outputs& outputs_;
  const Advisor& advisor_;
  Recorder* recorder_;
  int stop_fd_;
  bool lost_ = false;
};

}  // namespace zctrace
