// SPDX-License-Identifier: MIT
// Lists and figures inside the sentences about a comparison.
#pragma once

#include <string>
#include <vector>

#include "cli/compare/result.h"

namespace zctrace {

using Rows = std::vector<const MethodResult*>;

// "a", "a and b", "a, b and c".
std::string listed(const std::vector<std::string>& names);
std::vector<std::string> labels_of(const Rows& rows);
// Digits that the spread of a few runs can support: "1.05", "2.3", "9.1", "23".
std::string times_text(double ratio);
// "2.6 ± 0.1"; "6.0 (0.8 to 6.5)" where the interval is wide, so that its ends may be uneven.
std::string with_interval(double value, const Interval& interval);
// Median CPU time of client and daemon.
double cpu_ns(const MethodResult& result);

}  // namespace zctrace
