// SPDX-License-Identifier: MIT
// Checks what a fuzz target requires. Unlike assert(), it exists in every build.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace zctrace {

// Ends the program, which a fuzzer reports as a finding; `what` is in its report.
inline void require(bool holds, std::string_view what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %.*s\n", static_cast<int>(what.size()), what.data());
  std::abort();
}

}  // namespace zctrace
