// SPDX-License-Identifier: MIT
// Differences of counts that were read at different moments.
#pragma once

#include <cstdint>

namespace zctrace {

// later - earlier, or 0 if the earlier one is greater.
constexpr std::uint64_t not_below_zero(std::uint64_t later, std::uint64_t earlier) {
  return later > earlier ? later - earlier : 0;
}

}  // namespace zctrace
