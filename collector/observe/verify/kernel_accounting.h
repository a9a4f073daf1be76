// SPDX-License-Identifier: MIT
// Which calls the kernel adds to which counter of /proc/PID/io, and what that means for our rows.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

#include "bpf/abi.h"
#include "collector/model/verification.h"
#include "collector/observe/syscall_table.h"

namespace zctrace {

// How the kernel accounts a call that reached the file.
enum class Accounting : std::uint8_t {
  none,
  reads,   // syscr and rchar
  writes,  // syscw and wchar
  moves,   // all four: sendfile
  copies,  // all four, with exceptions: copy_file_range
  folded,  // not known: rows of any kind, added up
};

Accounting accounting_of(std::string_view syscall);

// The range in which the kernel's counters must lie. Rows say how many calls failed, but not
// whether a call failed before the kernel accounts it, so each failed call widens the range by one.
struct ExpectedCounters {
  static constexpr std::uint64_t kOpen = std::numeric_limits<std::uint64_t>::max();

  CounterValues low{};
  CounterValues high{};   // kOpen: no bound
  CounterValues again{};  // what the kernel may have counted twice

  void add_row(Accounting accounting, const zc_row& row);
  // Calls through the 32-bit ABI, which may have done anything.
  void add_compat_calls(std::uint64_t calls);
};

}  // namespace zctrace
