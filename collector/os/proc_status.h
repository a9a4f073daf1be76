// SPDX-License-Identifier: MIT
// The text of /proc/PID/status.
#pragma once

#include <string_view>

namespace zctrace {

// The value of field `name` in `status`, a part of it, without leading blanks. Empty: no such
// field.
std::string_view status_field(std::string_view status, std::string_view name) noexcept;

}  // namespace zctrace
