// SPDX-License-Identifier: MIT
// A difference of reports as a table, JSON and Markdown.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/diff/difference_of_reports.h"
#include "cli/views/page.h"

namespace zctrace {

inline constexpr const char* kDiffSchema = "zctrace-diff/1";

// `all`: every figure that differs, not only the notable ones.
std::string diff_table(const ReportDiff& diff, bool all, const TableStyle& style);
std::string diff_markdown(const ReportDiff& diff, bool all);
// Every figure. `failed`: the conditions of --fail-if that hold, as given.
nlohmann::ordered_json diff_json(const ReportDiff& diff, const std::vector<std::string>& failed);

}  // namespace zctrace
