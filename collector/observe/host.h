// SPDX-License-Identifier: MIT
// What a report says of where and when it was made.
#pragma once

#include <string>
#include <vector>

#include "collector/model/report.h"

namespace zctrace {

Host this_host();
std::vector<std::string> own_command_line();
std::string now_rfc3339();  // UTC, milliseconds

}  // namespace zctrace
