// SPDX-License-Identifier: MIT
// Rows as the programs count them, for the tests of what the kernel's own counters must be.
#pragma once

#include <cstddef>
#include <cstdint>

#include "bpf/abi.h"
#include "collector/observe/verify/kernel_accounting.h"

namespace zctrace {

inline std::size_t index_of(KernelCounter counter) { return static_cast<std::size_t>(counter); }

inline zc_row row(std::uint64_t calls, std::uint64_t bytes, std::uint64_t errors = 0) {
  zc_row row{};
  row.calls = calls;
  row.bytes = bytes;
  row.errors = errors;
  return row;
}

}  // namespace zctrace
