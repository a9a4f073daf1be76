// SPDX-License-Identifier: MIT
// What the kernel adds to a process's own counters when it waits for a child.
#pragma once

#include <cstdint>
#include <optional>

#include "collector/model/verification.h"

namespace zctrace {

// Takes the counters before a wait, and the difference after it. No thread may read or write
// anything else in between.
class WaitedChildren {
 public:
  WaitedChildren();
  // nullopt: /proc/self/io cannot be read, as is the case for a program with file capabilities.
  std::optional<CounterValues> since() const;

 private:
  std::optional<CounterValues> before_;
  std::uint64_t own_bytes_ = 0;  // which the first reading added itself
};

}  // namespace zctrace
