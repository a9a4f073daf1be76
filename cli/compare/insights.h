// SPDX-License-Identifier: MIT
// What the figures of a comparison say, in sentences.
#pragma once

#include <string>
#include <vector>

#include "cli/compare/result.h"

namespace zctrace {

// One line for each thing that the counts and times show, in no run more than they show.
std::vector<std::string> insights(const CompareResult& comparison);
// Runs that do not fit the others, and times that mean nothing.
std::vector<std::string> warnings(const CompareResult& comparison);

}  // namespace zctrace
