// SPDX-License-Identifier: MIT
// A report of run, attach or mount from its JSON. The inverse of report_json() and mount_json():
// the report that it makes has the same JSON, table, CSV and Markdown.
#pragma once

#include "cli/reading/json_node.h"
#include "collector/model/report.h"

namespace zctrace {

// Fields that this version does not know are ignored. Throws Error, which names the value that is
// missing or wrong.
Report read_report(const JsonNode& object);

// Parts of it.
Completeness read_completeness(const JsonNode& object);
Host read_host(const JsonNode& object);

// What add_flows_json() added to a report and to its processes.
void read_flows(const JsonNode& object, Report& report);

// What add_mount_json() added. Without "mount" the report has no such part.
void read_mount(const JsonNode& object, Report& report);
void read_advice(const JsonNode& object, Report& report);

}  // namespace zctrace
