// SPDX-License-Identifier: MIT
// An Unwinder in a child process, which can be killed.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "collector/observe/stacks/raw_stack.h"
#include "collector/observe/stacks/stack_profile.h"
#include "collector/os/child.h"
#include "collector/os/descriptor.h"

namespace zctrace {

// The files and memory of observed processes may crash the libraries that read them, or make a read
// wait for ever. The child has no more rights than those reads need, and lasts as long as the
// thread that made it, at most. One thread at a time.
class StackWorker {
 public:
  using Clock = std::chrono::steady_clock;

  StackWorker();   // forks; throws Error
  ~StackWorker();  // kills it, and waits only if it can end
  StackWorker(const StackWorker&) = delete;
  StackWorker& operator=(const StackWorker&) = delete;

  // nullopt: it has crashed, or has not answered by `deadline`. Then it is of no more use.
  std::optional<CallStack> unwind(const RawStack& raw, Clock::time_point deadline);

 private:
  bool send(const RawStack& raw);

  Descriptor socket_;
  std::optional<Child> child_;
};

// How an answer looks on the way; pure.
std::string packed(const CallStack& stack);
CallStack unpacked(std::string_view answer);

}  // namespace zctrace
