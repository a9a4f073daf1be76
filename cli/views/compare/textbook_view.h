// SPDX-License-Identifier: MIT
// The textbook's table beside the measurement, for each format.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/compare/result.h"
#include "cli/views/cell.h"

namespace zctrace {

// Table and notes.
Section textbook_section(const CompareResult& compared);
nlohmann::ordered_json textbook_json(const CompareResult& compared);

}  // namespace zctrace
