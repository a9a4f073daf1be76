// SPDX-License-Identifier: MIT
// What a page draws over time.
#pragma once

#include <nlohmann/json.hpp>
#include <vector>

#include "collector/model/interval_sum.h"

namespace zctrace {

// "intervals" of html_page(), with the figures of the totals that it draws.
nlohmann::ordered_json intervals_json(const std::vector<IntervalTotals>& intervals);

}  // namespace zctrace
