// SPDX-License-Identifier: MIT
// A mount's part of a report, with a file for each format.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "cli/views/page.h"
#include "collector/model/report.h"

namespace zctrace {

// All functions here require report.mount.

// The mount's part alone, to follow the report of `run`.
std::string mount_part_table(const Report& report, const TableStyle& style);
std::string mount_part_markdown(const Report& report);
// Adds "mount", "daemon", "files", and "fuse" for each process that sent requests, to
// report_json() of the same report.
void add_mount_json(nlohmann::ordered_json& object, const Report& report);

// The whole report of `zctrace mount`.
std::string mount_table(const Report& report, const TableStyle& style);
std::string mount_markdown(const Report& report);
nlohmann::ordered_json mount_json(const Report& report);
// Two tables under one header: a line for each operation of each process, then of each file.
std::string mount_csv(const Report& report);

}  // namespace zctrace
