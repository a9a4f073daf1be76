// SPDX-License-Identifier: MIT
// Names of error numbers.
#pragma once

#include <string>

namespace zctrace {

// "EAGAIN"; "errno 600" for one that the C library does not know.
std::string errno_name(unsigned number);

}  // namespace zctrace
