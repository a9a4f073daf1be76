// SPDX-License-Identifier: MIT
// How the counting pass observes.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "cli/compare/plan.h"
#include "collector/model/report.h"
#include "collector/observe/session.h"

namespace zctrace {

SessionOptions counting_options(const ComparePlan& plan);

// The report of these processes alone, with the names of their files and peers. nullptr: the plan
// asks for none.
std::shared_ptr<const Report> by_channel(const ComparePlan& plan, const Session& session,
                                         const std::vector<Process>& processes);

// To /dev/null, if that is the sink. No process receives these bytes, so they are not delivered.
std::uint64_t bytes_to_devices(const Process& counts);

// Adds what another session lost. The calls in flight when it began belong to no transfer.
void add_losses(Completeness& completeness, const Completeness& others);

}  // namespace zctrace
