// SPDX-License-Identifier: MIT
// The only way to fork: a child process with an owner.
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
  // The child is blocked until release(). If its owner is destroyed or the parent dies before that,
  // the child exits without running anything.
  bool gated = false;
  // The child is killed when the *thread* that forked it ends (PR_SET_PDEATHSIG is per thread).
  bool dies_with_parent = false;
  // Terminating signals have their default action, and no signal is blocked. SIGPIPE and SIGXFSZ
  // are ignored, so that writes to a closed peer or a file that must not grow fail with EPIPE or
  // EFBIG.
  bool own_signals = false;
  // The descriptors that the child keeps besides 0, 1 and 2; nullopt: all. With a stray copy of the
  // write end of a pipe, its reader would never see the end.
  std::optional<std::vector<int>> kept{};
  // What the owner's destructor does with a child that was not waited for: kills it and waits,
  // waits until it ends by itself, leaves it running, or kills it without waiting: the kernel ends
  // a child only when it returns from a wait that signals do not interrupt.
  enum class Unwaited { kill, wait, leave, abandon };
  Unwaited unwaited = Unwaited::kill;
};

// For a child that dies with its parent and shares only the descriptors `kept` with it.
ChildOptions dependent_child(std::vector<int> kept);

// Owns one forked child until wait() has returned its status. One thread at a time.
class Child {
 public:
  // Runs `life` in the child, which then calls _exit(0). The child never unwinds through the
  // caller's objects; an exception that leaves `life` aborts it. For another status, `life` calls
  // _exit. Throws Error.
  Child(const ChildOptions& options, const std::function<void()>& life);
  ~Child();
  Child(Child&& other) noexcept;
  Child& operator=(Child&&) = delete;

  pid_t pid() const { return pid_; }
  // A pidfd, which is readable when the child has ended. The first call opens it. Throws Error.
  int handle();

  // Opens the gate. Call it once. Throws Error.
  void release();
  // Blocks until the child has ended, and returns its wait(2) status. If this process ignores
  // SIGCHLD, the kernel keeps no status and this returns 0. Call it once.
  int wait();
  // Whether the child has ended. Then its status is gone; do not call wait().
  bool try_wait();
  void kill() noexcept { ::kill(pid_, SIGKILL); }

 private:
  [[noreturn]] void live(const ChildOptions& options, pid_t parent,
                         const std::function<void()>& life) noexcept;

  pid_t pid_ = -1;
  ChildOptions::Unwaited unwaited_;
  bool waited_ = false;
  std::optional<Wakeup> gate_;  // until released
  Descriptor handle_;
};

// For a forked child: closes all descriptors except 0, 1, 2 and `kept`. Skips negative numbers in
// `kept`. Needs Linux 5.9.
void close_all_but(std::span<const int> kept) noexcept;

}  // namespace zctrace
