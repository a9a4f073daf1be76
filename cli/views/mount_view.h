// SPDX-License-Identifier: MIT
// What a mount saw, as tables for people and as objects for scripts.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "cli/views/table_view.h"
#include "collector/fuse/report/fuse_report.h"

namespace zctrace {

// The tables and facts alone, for a report that has a title of its own.
std::string mount_sections(const fuse::FuseReport& report, const TableStyle& style);
std::string mount_markdown_sections(const fuse::FuseReport& report);
// "mount", "daemon", "files", and "fuse" in each of `object`'s processes that asked.
void add_mount_json(nlohmann::ordered_json& object, const fuse::FuseReport& report);

std::string mount_table(const fuse::FuseReport& report, const TableStyle& style);
std::string mount_markdown(const fuse::FuseReport& report);

// Two tables behind one header: a line for each operation of each process, then of each file.
std::string mount_csv(const fuse::FuseReport& report);

// report_json() of the processes, with "files", "mount" and "daemon" added.
nlohmann::ordered_json mount_json(const fuse::FuseReport& report);

}  // namespace zctrace
