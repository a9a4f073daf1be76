// SPDX-License-Identifier: MIT
// What `zctrace fuse` shows, with a file for each format.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "cli/views/cell.h"
#include "cli/views/page.h"
#include "cli/views/wording.h"
#include "collector/fusewatch/fuse_activity.h"

namespace zctrace {

// "zctrace fuse on every mount" and when; then, for each connection, its operations, who asked and
// its queue; last, what is not in the counts.
std::string fuse_title(const fusewatch::FuseActivity& activity, bool unicode);
std::vector<std::string> fuse_circumstances(const fusewatch::FuseActivity& activity, bool unicode);
std::vector<Section> fuse_sections(const fusewatch::FuseActivity& activity, const Wording& wording);

std::string fuse_table(const fusewatch::FuseActivity& activity, const TableStyle& style);
std::string fuse_markdown(const fusewatch::FuseActivity& activity);
// Follows schema/zctrace-fuse-1.schema.json.
nlohmann::ordered_json fuse_json(const fusewatch::FuseActivity& activity);
// The schema of fuse_json(); ends in a newline.
std::string_view fuse_json_schema();
// A line for each operation, then for each requester, of each connection.
std::string fuse_csv(const fusewatch::FuseActivity& activity);

}  // namespace zctrace
