// SPDX-License-Identifier: MIT
// What the figures of a comparison say, in sentences.
#pragma once

#include <string>
#include <vector>

#include "cli/compare/result.h"

namespace zctrace {

// The answer: which rows are fastest and which take the least CPU time, or why that cannot be said.
std::vector<std::string> verdict(const CompareResult& compared);
// A line for everything else that the counts and times show.
std::vector<std::string> findings(const CompareResult& compared);
// The verdict, then the findings.
std::vector<std::string> insights(const CompareResult& compared);
// Runs that do not fit the others, and times that mean nothing.
std::vector<std::string> warnings(const CompareResult& compared);

}  // namespace zctrace
