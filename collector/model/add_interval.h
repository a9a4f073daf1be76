// SPDX-License-Identifier: MIT
// Puts intervals together again: the inverse of difference(). Pure.
#pragma once

#include <cstddef>

#include "collector/model/report.h"

namespace zctrace {

// Adds the interval that followed `sum` to it. Processes are told apart by their ID and start. Of
// those that have ended, at most `most_ended` stay apart; the ones that moved the fewest bytes join
// the others. Peaks stay peaks, and bounds of the longest call stay bounds. Nothing is said of a
// mount.
void add_interval(Report& sum, const Report& next, std::size_t most_ended);

}  // namespace zctrace
