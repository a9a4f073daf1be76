// SPDX-License-Identifier: MIT
#include "collector/os/proc_status.h"

#include <algorithm>
#include <cstddef>

namespace zctrace {

std::string_view status_field(std::string_view status, std::string_view name) noexcept {
  for (std::size_t begin = 0; begin < status.size();) {
    const std::size_t end = std::min(status.find('\n', begin), status.size());
    const std::string_view line = status.substr(begin, end - begin);
    begin = end + 1;
    if (!line.starts_with(name) || !line.substr(name.size()).starts_with(':')) continue;
    const std::string_view text = line.substr(name.size() + 1);
    return text.substr(std::min(text.find_first_not_of(" \t"), text.size()));
  }
  return {};
}

}  // namespace zctrace
