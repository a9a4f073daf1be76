// SPDX-License-Identifier: MIT
// What `doctor` found on this machine.
#pragma once

#include <cstddef>
#include <string>

#include "collector/observe/preflight.h"

namespace zctrace {

// A line for each finding, then what works here. `width`: of the terminal; 0: lines do not wrap.
std::string preflight_text(const Preflight& preflight, std::size_t width);
std::string preflight_json(const Preflight& preflight);

}  // namespace zctrace
