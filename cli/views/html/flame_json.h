// SPDX-License-Identifier: MIT
// What a page draws of sampled stacks.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>

#include "collector/observe/stacks/stack_profile.h"

namespace zctrace {

// More would take long to open, and could not be told apart on a screen.
inline constexpr std::size_t kMostFlameFrames = 2500;

// "stacks" of a report: "frames", each with its "parent", the place of its caller in the list,
// which comes before it, its "name", "kind" (FoldedFrame; the first is "all"), "samples", "bytes"
// and "margin_bytes". The frames with the most samples are in it, kMostFlameFrames at most;
// "left_out" says how many are not.
nlohmann::ordered_json flame_json(const StackProfile& profile);

// Adds it to a report's JSON. nullptr: there are none; nor are there without a sample.
void add_stacks_json(nlohmann::ordered_json& report, const StackProfile* stacks);

}  // namespace zctrace
