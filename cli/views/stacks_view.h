// SPDX-License-Identifier: MIT
// Sampled stacks as files: folded, and JSON.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "collector/model/report.h"
#include "collector/observe/stacks/stack_profile.h"

namespace zctrace {

struct FoldedFrame {
  std::string name;       // in one line, without ';'
  std::string_view kind;  // "process", "user", "call" (of the system) or "kernel"
};

// What a flame graph shows of a stack, the outermost first: the process comes before its frames,
// and the call, with the kinds of both ends, between those of the user and of the kernel.
std::vector<FoldedFrame> folded_frames(const StackProfile::SampledStack& stack);

// A line for each stack, "process;outermost;...;innermost;syscall (from to to);kernel_[k] BYTES",
// the most bytes first, as flamegraph.pl, inferno and speedscope read it.
std::string folded_stacks(const StackProfile& profile);

// The object that schema/zctrace-stacks-1.schema.json describes. `report`: of the same time.
std::string stacks_json(const StackProfile& profile, const Report& report);

// The one that the name of the file asks for.
std::string stacks_view(const StackProfile& profile, const Report& report, std::string_view file);

}  // namespace zctrace
