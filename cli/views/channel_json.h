// SPDX-License-Identifier: MIT
// Files, peers and ports of a report in JSON.
#pragma once

#include <nlohmann/json.hpp>

#include "cli/views/report/channel_table.h"
#include "collector/model/report.h"

namespace zctrace {

// Appends "files", "other_files", "peers", "other_peers", "ports", "flows" and "other_flows" to a
// report's object.
void add_channels_json(nlohmann::ordered_json& object, const Report& report,
                       const ChannelLimits& limits);
// The first four for one of its processes.
void add_channels_json(nlohmann::ordered_json& object, const Report& report, const Process& process,
                       const ChannelLimits& limits);

}  // namespace zctrace
