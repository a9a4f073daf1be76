// SPDX-License-Identifier: MIT
// A comparison as a table with its insights, as JSON, CSV and Markdown.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "cli/compare/result.h"
#include "cli/views/page.h"

namespace zctrace {

// `by_syscall`: also the calls of each method, one line for each syscall. JSON has them anyway.
std::string compare_table(const CompareResult& compared, const TableStyle& style,
                          bool by_syscall = false);
nlohmann::ordered_json compare_json(const CompareResult& compared);
std::string compare_csv(const CompareResult& compared);
std::string compare_markdown(const CompareResult& compared, bool by_syscall = false);

}  // namespace zctrace
