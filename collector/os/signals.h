// SPDX-License-Identifier: MIT
// The signals that ask a program to end, as events instead of deaths.
#pragma once

#include <signal.h>

#include "collector/os/descriptor.h"

namespace zctrace {

// What a program inherits of signals.
struct SignalState {
  sigset_t mask{};
  struct sigaction pipe {};       // for SIGPIPE
  struct sigaction file_size {};  // for SIGXFSZ
};

// Gives them to the calling process. For a forked child, before exec.
void restore(const SignalState& signals) noexcept;

// A write beyond the limit of a file's size (ulimit -f) then fails with EFBIG, which can be reported,
// and does not kill the process. Call it after Signals, which keeps the state before.
void ignore_file_size_signal() noexcept;

// Blocks SIGINT, SIGQUIT, SIGTERM and SIGHUP and ignores SIGPIPE and SIGXFSZ, for the rest of the
// process's life: a report into a closed pipe, or into a file that may not grow any further, is an
// error to report.
class Signals {
 public:
  Signals();  // throws Error

  // What zctrace itself was started with, for a child to have again.
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
