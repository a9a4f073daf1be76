// SPDX-License-Identifier: MIT
// What a page draws over time.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string_view>
#include <vector>

#include "collector/model/interval_sum.h"
#include "collector/model/process_summary.h"

namespace zctrace {

// "intervals" of html_page(), with the figures of the totals that it draws.
nlohmann::ordered_json interval_json(std::string_view started_at, std::uint64_t duration_ns,
                                     const ProcessSummary& sum);
nlohmann::ordered_json intervals_json(const std::vector<IntervalTotals>& intervals);

}  // namespace zctrace
