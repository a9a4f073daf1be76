// SPDX-License-Identifier: MIT
// What to say when a command lacks the rights of root, because it runs as the user of sudo.
#pragma once

#include <optional>
#include <string>

#include "collector/model/report.h"
#include "collector/os/error.h"

namespace zctrace {

// `error`, and the hint if permission to execute the command was denied.
Error with_as_root_hint(const Error& error);

// The hint if permission was denied to any call of the command.
std::optional<std::string> as_root_hint(const Report& report);

}  // namespace zctrace
