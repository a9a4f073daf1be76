// SPDX-License-Identifier: MIT
// Adds advice to reports, as the options --advise and --basis ask.
#pragma once

#include "cli/advice/basis.h"
#include "cli/options/advice_options.h"
#include "cli/options/output_options.h"
#include "collector/model/report.h"
#include "collector/observe/stacks/stack_profile.h"

namespace zctrace {

// Owns what was read of the files of --basis.
class Advisor {
 public:
  // Reads these files, so make one before privileges are dropped and the command starts.
  // `intervals`: the reports are of intervals. Throws Error, also for options that do not fit
  // together.
  Advisor(const AdviceOptions& options, const OutputOptions& output, bool intervals = false);

  // The report with its advice, if that was asked for. `stacks` say from where in the programs the
  // calls are made; nullptr: not known. With --advise=measure it takes up to ten seconds; it ends
  // early when `stop_fd` is readable.
  Report advised(Report report, const StackProfile* stacks, int stop_fd) const;

 private:
  AdviceOptions options_;
  bool lists_channels_;  // for another reason than advice
  bool quiet_;
  Basis basis_;
};

}  // namespace zctrace
