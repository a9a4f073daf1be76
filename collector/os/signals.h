// SPDX-License-Identifier: MIT
// Receives the signals that ask a program to end, instead of dying from them.
#pragma once

#include <signal.h>

#include "collector/os/descriptor.h"

namespace zctrace {

// The signal settings that a program inherits.
struct SignalState {
  sigset_t mask{};
  struct sigaction pipe {};       // for SIGPIPE
  struct sigaction file_size {};  // for SIGXFSZ
};

// Sets them in the calling process. For a forked child, before exec.
void restore(const SignalState& signals) noexcept;

// A write beyond the limit of a file's size (ulimit -f) then fails with EFBIG, which can be
// reported, and does not kill the process. Call it after Signals, which keeps the state before.
void ignore_file_size_signal() noexcept;

// Blocks SIGINT, SIGQUIT, SIGTERM and SIGHUP, and ignores SIGPIPE and SIGXFSZ, until the process
// ends. Writing a report to a closed pipe, or to a file that must not grow, then fails with an
// error.
class Signals {
 public:
  Signals();  // throws Error

  // The settings that zctrace was started with, to be restored in a child.
  const SignalState& before() const { return before_; }
  int fd() const { return events_.get(); }  // readable when a signal is pending

  struct Event {
    int number = 0;     // 0: none was pending
    bool sent = false;  // by a process rather than the terminal
  };
  Event take();

 private:
  SignalState before_;
  Descriptor events_;
};

}  // namespace zctrace
