// SPDX-License-Identifier: MIT
// The files of one side of a difference: saved reports and recordings.
#pragma once

#include <string>
#include <vector>

#include "cli/reading/saved_report.h"

namespace zctrace {

// "A1,A2,A3", unless a file has exactly this name. Throws Error.
std::vector<SavedFile> read_side(const std::string& names);

}  // namespace zctrace
