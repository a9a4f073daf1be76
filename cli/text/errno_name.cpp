// SPDX-License-Identifier: MIT
#include "cli/text/errno_name.h"

#include <cstring>

namespace zctrace {

std::string errno_name(unsigned number) {
  const char* const name = ::strerrorname_np(static_cast<int>(number));
  return name != nullptr ? name : "errno " + std::to_string(number);
}

}  // namespace zctrace
