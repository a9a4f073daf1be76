// SPDX-License-Identifier: MIT
// The host, command line and time that a report states.
#pragma once

#include <string>
#include <vector>

#include "collector/model/report.h"

namespace zctrace {

Host this_host();
std::vector<std::string> own_command_line();
std::string now_rfc3339();  // UTC, milliseconds

}  // namespace zctrace
