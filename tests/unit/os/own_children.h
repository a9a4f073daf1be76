// SPDX-License-Identifier: MIT
// The processes that a test has started.
#pragma once

#include <sys/types.h>

#include <fstream>
#include <vector>

namespace zctrace {

inline std::vector<pid_t> children_of_this_thread() {
  std::ifstream list("/proc/thread-self/children");
  std::vector<pid_t> children;
  for (pid_t child; list >> child;) children.push_back(child);
  return children;
}

}  // namespace zctrace
