// SPDX-License-Identifier: MIT
// The observed command: created blocked, entered into the observed set, then released.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "collector/os/caller.h"
#include "collector/os/child.h"
#include "collector/os/descriptor.h"
#include "collector/os/signals.h"

namespace zctrace {

// A child that becomes a program when it is released, and reports why it could not. Destroyed
// before release(), or when zctrace dies, it ends without having run anything; released, it lives
// on without its owner.
class GatedChild {
 public:
  // Forks. `signals` is what the child gets back before exec; `prepare`, if any, runs in it with
  // zctrace's own rights once the gate is open, and returns an errno, 0 to go on. Throws Error.
  GatedChild(std::vector<std::string> argv, const std::optional<Caller>& caller,
             const SignalState& signals, const std::function<int()>& prepare = {});

  pid_t pid() const { return child_->pid(); }
  // A pidfd: readable when the child has ended.
  int handle() { return child_->handle(); }

  // Opens the gate and waits for the exec. Throws Error with 126 or 127 when it failed.
  void release();
  // The status as wait(2) gives it. Blocks.
  int wait() { return child_->wait(); }

 private:
  std::string name_;
  Descriptor report_;  // an errno when exec failed, end of file when it worked
  std::optional<Child> child_;
};

}  // namespace zctrace
