// SPDX-License-Identifier: MIT
// The table of a comparison and the lines above it, for the terminal and for Markdown.
#pragma once

#include <string>
#include <vector>

#include "cli/compare/result.h"
#include "cli/views/page.h"

namespace zctrace {

Grid compare_grid(const CompareResult& compared, bool unicode);
// What the titles SPEED and BEST mean; "" where no row was timed.
std::string compare_legend(const CompareResult& compared);
std::string compare_title(const CompareResult& compared);
// "5 runs each, interleaved", "source in the page cache", …
std::vector<std::string> compare_circumstances(const CompareResult& compared, bool unicode);

}  // namespace zctrace
