// SPDX-License-Identifier: MIT
// Sampled stacks as files: folded, and JSON.
#pragma once

#include <string>
#include <string_view>

#include "collector/model/report.h"
#include "collector/observe/stacks/stack_profile.h"

namespace zctrace {

// A line for each stack, "process;outermost;...;innermost;syscall (from to to);kernel_[k] BYTES",
// the most bytes first, as flamegraph.pl, inferno and speedscope read it.
std::string folded_stacks(const StackProfile& profile);

// The object that schema/zctrace-stacks-1.schema.json describes. `report`: of the same time.
std::string stacks_json(const StackProfile& profile, const Report& report);

// The one that the name of the file asks for.
std::string stacks_view(const StackProfile& profile, const Report& report, std::string_view file);

}  // namespace zctrace
