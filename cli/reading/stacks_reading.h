// SPDX-License-Identifier: MIT
// The sampled stacks of a saved report. Pages alone show them, from the JSON.
#pragma once

#include "cli/reading/json_node.h"

namespace zctrace {

// Checks "stacks" (flame_json.h). Throws Error, which says what is wrong and where.
void check_stacks(const JsonNode& stacks);

}  // namespace zctrace
