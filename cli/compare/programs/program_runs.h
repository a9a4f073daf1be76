// SPDX-License-Identifier: MIT
// Runs the rows of a comparison that are programs, and counts what their processes do.
#pragma once

#include <sys/types.h>

#include <vector>

#include "cli/compare/plan.h"
#include "cli/compare/result.h"
#include "cli/compare/route.h"
#include "collector/observe/session.h"
#include "collector/os/descriptor.h"
#include "collector/os/signals.h"
#include "transfers/external/program_run.h"

namespace zctrace {

// Owns what programs need besides the route. Outlives the runs.
class ProgramRuns {
 public:
  // Makes the directory for the socket of a Unix sink, in a file system of its own. Throws Error.
  ProgramRuns(const ComparePlan& plan, const Signals& signals);

  // A run of `row`, which is a program. Throws Error.
  transfers::TransferResult run(const PlannedRow& row, const Route& route,
                                const transfers::TransferOptions& options) const;
  // The same, while `session` counts. Sets the counts of `result`, which are the sum of `counted`,
  // the program and its descendants, if the run succeeded.
  transfers::TransferResult run_counted(const PlannedRow& row, const Route& route,
                                        transfers::TransferOptions options, Session& session,
                                        MethodResult& result, std::vector<Process>& counted) const;

 private:
  Descriptor directory_;
  transfers::ProgramSettings settings_;
};

}  // namespace zctrace
