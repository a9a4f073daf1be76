// SPDX-License-Identifier: MIT
#include "cli/commands/interval_reports.h"

#include <utility>

#include "collector/os/error.h"

namespace zctrace {

void IntervalReports::write(Report interval) {
  const Report report = advisor_.advised(std::move(interval), nullptr, stop_fd_);
  lost_ |= !report.completeness.whole();
  if (recorder_ != nullptr) recorder_->write(report);
  outputs_.write_interval(report);
}

int IntervalReports::finish(const StackProfile* stacks, const Report& whole, bool strict) {
  outputs_.write_stacks(stacks, whole);
  outputs_.finish_intervals(stacks);
  if (recorder_ != nullptr && !recorder_->finish(nullptr, stacks)) return kExitFailed;
  return strict && lost_ ? kExitLost : kExitDone;
}

}  // namespace zctrace
