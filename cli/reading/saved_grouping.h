// SPDX-License-Identifier: MIT
// By what a saved report groups, and by what it can.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "cli/reading/saved_report.h"

namespace zctrace {

// The --by that it was saved with; "": none.
std::string saved_by(const nlohmann::ordered_json& json);

// Throws Error (usage): --by asks for something that a report of the file has not counted.
void check_by(const SavedFile& file, const std::string& by);

}  // namespace zctrace
