// SPDX-License-Identifier: MIT
// The signals that ask a program to end, as events instead of deaths.
#pragma once

#include <signal.h>

#include "collector/os/descriptor.h"
#include "collector/os/gated_child.h"

namespace zctrace {

// Blocks SIGINT, SIGQUIT, SIGTERM and SIGHUP and ignores SIGPIPE, for the rest of the process's
// life. A report into a closed pipe is an error to tell, not a reason to die of.
class Signals {
 public:
  Signals();  // throws Error

  // What the caller had, for a child to have again.
  const SignalState& before() const { return before_; }
  int fd() const { return events_.get(); }  // readable when there is one

  struct Event {
    int number = 0;     // 0: none was pending
    bool sent = false;  // by a process, not by the terminal
  };
  Event take();

 private:
  SignalState before_;
  Descriptor events_;
};

}  // namespace zctrace
