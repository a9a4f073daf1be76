// SPDX-License-Identifier: MIT
// Memory for the pages that a zero-copy send pins.
#pragma once

#include <sys/resource.h>

namespace zctrace::transfers {

// Raises RLIMIT_MEMLOCK of this process to its hard limit, because pages in flight count
// against it for a caller without CAP_IPC_LOCK (ENOBUFS, ENOMEM). If that is still too
// little, the send fails.
inline void raise_memlock_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_MEMLOCK, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_MEMLOCK, &limit);
}

}  // namespace zctrace::transfers
