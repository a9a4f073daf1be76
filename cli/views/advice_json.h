// SPDX-License-Identifier: MIT
// The advice of a report in JSON.
#pragma once

#include <nlohmann/json.hpp>
#include <vector>

#include "collector/model/advice.h"

namespace zctrace {

// "advice" of a report's object.
nlohmann::ordered_json advice_json(const std::vector<Advice>& advice);

}  // namespace zctrace
