// SPDX-License-Identifier: MIT
// Forked children that never outlive whoever made them.
#pragma once

#include <sys/types.h>

#include <functional>
#include <initializer_list>
#include <string>

namespace zctrace::transfers {

// Owns one forked child until it is reaped; kills and reaps it when it goes earlier.
//
// The child dies with the *thread* that made it (PR_SET_PDEATHSIG is per thread), has
// the default action for terminating signals, ignores SIGPIPE (so that a closed peer is
// EPIPE, a value), blocks no signal, and holds no descriptor but 0, 1, 2 and
// `kept_fds`: a stray copy of a pipe's end would hide its other end's death.
class Child {
 public:
  // Runs `body` in the child, which then _exits with 0: it never unwinds through the
  // caller's objects; an exception that leaves `body` aborts it. Throws SetupError.
  Child(std::initializer_list<int> kept_fds, const std::function<void()>& body);
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  pid_t pid() const { return pid_; }

  // Waits until the child has ended; returns "" for exit status 0, else how it ended:
  // "killed by SIGSEGV" or "exited with status 1". Call it once.
  std::string wait();

 private:
  pid_t pid_ = -1;
};

}  // namespace zctrace::transfers
