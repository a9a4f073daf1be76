// SPDX-License-Identifier: MIT
// Which file, pipe or socket bytes went to from which, in JSON.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>

#include "collector/model/report.h"

namespace zctrace {

// Appends "flows", the `most` with the most bytes, and "other_flows", their sums, to a report's
// object. What no flow has of the rows was not attributed to a channel.
void add_flows_json(nlohmann::ordered_json& object, const Report& report, std::size_t most);

}  // namespace zctrace
