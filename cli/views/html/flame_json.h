// SPDX-License-Identifier: MIT
// What a page draws of sampled stacks.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>

#include "collector/observe/stacks/stack_profile.h"

namespace zctrace {

// More would take long to open, and could not be told apart on a screen.
inline constexpr std::size_t kMostFlameFrames = 2500;

// "stacks" of html_page(): a tree of frames, the callers outside, each with its "samples", "bytes",
// "margin_bytes" and "kind" (FoldedFrame). The frames with the most samples are in it,
// kMostFlameFrames at most; "left_out" says how many are not.
nlohmann::ordered_json flame_json(const StackProfile& profile);

}  // namespace zctrace
