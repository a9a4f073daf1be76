// SPDX-License-Identifier: MIT
// The sections of a mount's part of a report, for the terminal and for Markdown.
#pragma once

#include <string>
#include <vector>

#include "cli/views/cell.h"
#include "cli/views/wording.h"
#include "collector/model/report.h"

namespace zctrace {

std::string mount_title(const Report& report, bool unicode);
std::vector<std::string> mount_circumstances(const Report& report, bool unicode);
// Requests by kind, by process and by file; the amplification, if it was observed, with the calls
// behind it; then totals and the daemon's own cost.
std::vector<Section> mount_sections(const Report& report, const Wording& wording);

// The processes of a report that sent requests: first those that it lists, then those that only the
// mount has seen.
std::vector<const Process*> requesters_of(const Report& report);

}  // namespace zctrace
