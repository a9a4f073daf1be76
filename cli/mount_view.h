// What a mount saw, as tables for people and as objects for scripts.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "cli/table_view.h"
#include "collector/fuse/fuse_report.h"

namespace zctrace {

std::string mount_table(const fuse::FuseReport& report, const TableStyle& style);
std::string mount_markdown(const fuse::FuseReport& report);

// Two tables behind one header: a line for each operation of each process, then of each file.
std::string mount_csv(const fuse::FuseReport& report);

// report_json() of the processes, with "files", "mount" and "daemon" added.
nlohmann::ordered_json mount_json(const fuse::FuseReport& report);

// "files" alone, for other commands that mount.
nlohmann::ordered_json files_json(const fuse::FuseReport& report);

}  // namespace zctrace
