// SPDX-License-Identifier: MIT
// Two methods of `compare` whose difference in CPU time is what an advice would save. Pure.
#pragma once

#include <compare>
#include <cstdint>
#include <string>

namespace zctrace {

// Names as `compare` has them. Sizes are bytes for each call.
struct MethodPair {
  std::string source;  // "disk", "tmpfs"
  std::string sink;    // "unix", "tcp", "file", "file:other-fs", "pipe"
  std::string now;     // "read_write"
  std::string instead;
  std::uint64_t now_bytes = 0;
  std::uint64_t instead_bytes = 0;
  // How large a file to measure with: caches make small ones cheaper. 0: does not matter.
  std::uint64_t source_bytes = 0;

  auto operator<=>(const MethodPair&) const = default;
};

}  // namespace zctrace
