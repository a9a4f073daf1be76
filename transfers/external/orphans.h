// SPDX-License-Identifier: MIT
// Ends what a program leaves running.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <set>

namespace zctrace::transfers {

// While it exists, the calling process is the parent of all orphans among its descendants. Those
// that become its children after the constructor are the leftovers of the program that runs
// meanwhile. The caller makes no other children until end_all().
class Orphans {
 public:
  Orphans();  // throws SetupError
  ~Orphans();
  Orphans(const Orphans&) = delete;
  Orphans& operator=(const Orphans&) = delete;

  // Kills all leftovers but `program`, and those that they leave, and waits for their end for at
  // most `patience`. Returns false if some do not end.
  bool end_all(pid_t program, std::chrono::milliseconds patience) const;

 private:
  int before_ = 0;          // whether the process was such a parent already
  std::set<pid_t> others_;  // children that were there before
};

}  // namespace zctrace::transfers
