// SPDX-License-Identifier: MIT
// The page of `top` that lists its keys.
#pragma once

#include <cstddef>
#include <vector>

#include "cli/top/line.h"

namespace zctrace {

// As much of it as a screen of that size shows.
std::vector<Line> help_page(std::size_t width, std::size_t height, bool unicode);

}  // namespace zctrace
