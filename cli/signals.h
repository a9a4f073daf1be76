// The signals that ask a program to end, as events instead of deaths.
#pragma once

#include <signal.h>

#include "collector/descriptor.h"

namespace zctrace {

// Blocks SIGINT, SIGQUIT, SIGTERM and SIGHUP and ignores SIGPIPE, for the rest of the process's
// life. A report into a closed pipe is an error to tell, not a reason to die of.
class Signals {
 public:
  Signals();  // throws Error

  const sigset_t& before() const { return before_; }  // the mask, for a child
  int fd() const { return events_.get(); }            // readable when there is one

  struct Event {
    int number = 0;     // 0: none was pending
    bool sent = false;  // by a process, not by the terminal
  };
  Event take();

 private:
  sigset_t before_;
  Descriptor events_;
};

}  // namespace zctrace
