// SPDX-License-Identifier: MIT
// A comparison as a table with its insights, as JSON, CSV and Markdown.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "cli/compare/result.h"
#include "cli/views/page.h"
#include "cli/views/wording.h"

namespace zctrace {

// `by`: also the calls of each method, one line for each syscall, or what they did with each file
// or peer. JSON has that anyway. CSV by file or peer has that instead of the methods.
std::string compare_table(const CompareResult& compared, const TableStyle& style,
                          std::optional<GroupBy> by = std::nullopt);
nlohmann::ordered_json compare_json(const CompareResult& compared);
std::string compare_csv(const CompareResult& compared, std::optional<GroupBy> by = std::nullopt);
std::string compare_markdown(const CompareResult& compared,
                             std::optional<GroupBy> by = std::nullopt);

}  // namespace zctrace
