// SPDX-License-Identifier: MIT
// A comparison from its JSON. The inverse of compare_json().
#pragma once

#include "cli/compare/result.h"
#include "cli/reading/json_node.h"

namespace zctrace {

// Throws Error, which names the value that is missing or wrong.
CompareResult read_comparison(const JsonNode& object);

}  // namespace zctrace
