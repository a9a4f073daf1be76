// SPDX-License-Identifier: MIT
// A comparison as a table with its insights, as JSON, CSV and Markdown.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "cli/compare/result.h"
#include "cli/views/page.h"

namespace zctrace {

std::string compare_table(const CompareResult& comparison, const TableStyle& style);
nlohmann::ordered_json compare_json(const CompareResult& comparison);
std::string compare_csv(const CompareResult& comparison);
std::string compare_markdown(const CompareResult& comparison);

}  // namespace zctrace
