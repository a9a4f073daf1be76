// SPDX-License-Identifier: MIT
// The part of a report that a page holds. Observed processes decide how long names are and how many
// processes and files there are, so all of these are bounded.
#pragma once

#include <nlohmann/json.hpp>

namespace zctrace {

// A copy of the report without what the page does not show:
// - strings are cut after 400 bytes, between characters;
// - lists have at most 1,000 entries, those with the most bytes first, and "page_left_out" counts
//   by the list's name what is missing;
// - the operations of a mount have their number and, if they moved any, bytes, copied bytes and
//   "total_ns";
// - processes have only the figures that the page shows, and only the 40 largest have rows.
nlohmann::ordered_json page_report(const nlohmann::ordered_json& report);

}  // namespace zctrace
