// SPDX-License-Identifier: MIT
// The observed command: created blocked, and released once it is observed.
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

// A child that executes a program when it is released, and reports why it cannot. If it is
// destroyed or zctrace dies before release(), the child exits without running anything. Once
// released, it may outlive its owner.
class GatedChild {
 public:
  // Forks. The child restores `signals` before exec. `prepare`, if any, runs in the child with
  // zctrace's rights once the gate is open, and returns 0 or an errno. Throws Error.
  GatedChild(std::vector<std::string> argv, const std::optional<Caller>& caller,
             const SignalState& signals, const std::function<int()>& prepare = {});

  pid_t pid() const { return child_->pid(); }
  // A pidfd: readable when the child has ended.
  int handle() { return child_->handle(); }

  // Opens the gate and waits for the exec. Throws Error with 126 or 127 when it failed.
  void release();
  // Blocks, and returns the wait(2) status.
  int wait() { return child_->wait(); }

 private:
  std::string name_;
  Descriptor report_;  // gives an errno if exec fails, end of file if it succeeds
  std::optional<Child> child_;
};

}  // namespace zctrace
