// SPDX-License-Identifier: MIT
// What else the figures of a comparison say, in sentences.
#pragma once

#include <string>
#include <vector>

#include "cli/compare/result.h"

namespace zctrace {

// A line for everything else that the counts and times show.
std::vector<std::string> findings(const CompareResult& compared);
// The verdict (verdict.h), then the findings.
std::vector<std::string> insights(const CompareResult& compared);
// Runs that do not fit the others, and times that mean nothing.
std::vector<std::string> warnings(const CompareResult& compared);

}  // namespace zctrace
