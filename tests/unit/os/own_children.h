// SPDX-License-Identifier: MIT
// The processes that a test has started.
#pragma once

#include <sys/types.h>

#include <algorithm>
#include <fstream>
#include <vector>

namespace zctrace {

inline std::vector<pid_t> children_of_this_thread() {
  std::ifstream list("/proc/thread-self/children");
  std::vector<pid_t> children;
  for (pid_t child; list >> child;) children.push_back(child);
  return children;
}

// The children that this thread got since this was made. An earlier test can have left one: a
// reader of /proc that does not answer in time is killed, but not waited for.
class NewChildren {
 public:
  std::vector<pid_t> now() const {
    std::vector<pid_t> children = children_of_this_thread();
    std::erase_if(children, [this](pid_t child) {
      return std::find(earlier_.begin(), earlier_.end(), child) != earlier_.end();
    });
    return children;
  }

 private:
  const std::vector<pid_t> earlier_ = children_of_this_thread();
};

}  // namespace zctrace
