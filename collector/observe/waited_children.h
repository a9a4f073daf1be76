// SPDX-License-Identifier: MIT
// What the kernel adds to a process's own counters when it waits for a child.
#pragma once

#include <cstdint>
#include <optional>

#include "collector/model/verification.h"

namespace zctrace {

// A reading before a wait, and what has come since. Nothing else may read or write in between, on
// any thread.
class WaitedChildren {
 public:
  WaitedChildren();
  // nullopt: /proc/self/io cannot be read, as of a program with file capabilities.
  std::optional<CounterValues> since() const;

 private:
  std::optional<CounterValues> before_;
  std::uint64_t own_bytes_ = 0;  // which the first reading added itself
};

}  // namespace zctrace
