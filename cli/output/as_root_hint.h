// SPDX-License-Identifier: MIT
// What to say when a command lacks the rights of root, because it runs as the user of sudo.
#pragma once

#include <optional>
#include <string>

#include "collector/model/report.h"
#include "collector/os/error.h"

namespace zctrace {

// nullopt unless permission to execute the command was denied.
std::optional<std::string> as_root_hint(const Error& error);

// nullopt unless permission was denied to a call of the command.
std::optional<std::string> as_root_hint(const Report& report);

}  // namespace zctrace
