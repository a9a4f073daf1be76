// SPDX-License-Identifier: MIT
// The one way to fork: a child process with an owner.
#pragma once

#include <signal.h>
#include <sys/types.h>

#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "collector/os/descriptor.h"
#include "collector/os/wakeup.h"

namespace zctrace {

struct ChildOptions {
  // The child is blocked until release(). It ends without having run anything when its owner goes
  // before that, or the parent dies.
  bool gated = false;
  // The child is killed when the *thread* that made it ends (PR_SET_PDEATHSIG is per thread).
  bool dies_with_parent = false;
  // The default action for terminating signals, and no signal blocked. SIGPIPE and SIGXFSZ are
  // ignored, so that a closed peer and a file that may not grow are values: EPIPE and EFBIG.
  bool own_signals = false;
  // The descriptors that it keeps besides 0, 1 and 2; nullopt: all. A stray copy of a pipe's end
  // would hide the death of the process that holds the other one.
  std::optional<std::vector<int>> kept{};
  // What the owner does to a child that it has not waited for: kill it and wait, wait until it
  // ends by itself, or leave it.
  enum class Unwaited { kill, wait, leave };
  Unwaited unwaited = Unwaited::kill;
};

// A child that dies with its maker and shares nothing but `kept` with it.
ChildOptions dependent_child(std::vector<int> kept);

// Owns one forked child until wait() has returned its status. One thread at a time.
class Child {
 public:
  // Runs `life` in the child, which then _exits with 0: it never unwinds through the caller's
  // objects, and an exception that leaves `life` aborts it. For another status `life` calls _exit
  // itself. Throws Error.
  Child(const ChildOptions& options, const std::function<void()>& life);
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  pid_t pid() const { return pid_; }
  // A pidfd, readable when the child has ended. Opened at the first call. Throws Error.
  int handle();

  // Opens the gate, once. Throws Error.
  void release();
  // Blocks until the child has ended; its status as wait(2) gives it. Where the process ignores
  // SIGCHLD the kernel keeps no status: 0. Call it once.
  int wait();

 private:
  [[noreturn]] void live(const ChildOptions& options, pid_t parent,
                         const std::function<void()>& life) noexcept;

  pid_t pid_ = -1;
  ChildOptions::Unwaited unwaited_;
  bool waited_ = false;
  std::optional<Wakeup> gate_;  // until released
  Descriptor handle_;
};

// For a forked child: closes all descriptors but 0, 1, 2 and `kept`, of which those below 0 are
// none. Linux 5.9.
void close_all_but(std::span<const int> kept) noexcept;

}  // namespace zctrace
