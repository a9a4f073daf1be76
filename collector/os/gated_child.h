// SPDX-License-Identifier: MIT
// The observed command: created blocked, entered into the observed set, then released.
#pragma once

#include <signal.h>
#include <sys/types.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "collector/os/caller.h"
#include "collector/os/descriptor.h"

namespace zctrace {

// What a program inherits of signals.
struct SignalState {
  sigset_t mask{};
  struct sigaction pipe {};  // for SIGPIPE
};

// Owns the child until wait() has returned its status. Destroyed before release(), or when
// zctrace dies, the child ends without having run anything.
class GatedChild {
 public:
  // Forks. `signals` is what the child gets back before exec; `prepare`, if any, runs in it with
  // zctrace's own rights once the gate is open, and returns an errno, 0 to go on. Throws Error.
  GatedChild(std::vector<std::string> argv, const std::optional<Identity>& identity,
             const SignalState& signals, const std::function<int()>& prepare = {});
  ~GatedChild();
  GatedChild(const GatedChild&) = delete;
  GatedChild& operator=(const GatedChild&) = delete;

  pid_t pid() const { return pid_; }
  // A pidfd: readable when the child has ended.
  int handle() const { return handle_.get(); }

  // Opens the gate and waits for the exec. Throws Error with 126 or 127 when it failed.
  void release();
  // The status as wait(2) gives it. Blocks.
  int wait();

 private:
  pid_t pid_ = -1;
  bool released_ = false;
  bool reaped_ = false;
  Descriptor handle_;
  Descriptor gate_;    // closing it without a byte ends the child
  Descriptor report_;  // an errno when exec failed, end of file when it worked
  std::string name_;
};

}  // namespace zctrace
