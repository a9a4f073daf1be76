// SPDX-License-Identifier: MIT
// A child process that waits for the end of the one that forked it, whatever it dies of.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <functional>

#include "collector/os/descriptor.h"

namespace zctrace::fuse {

// The child's side. It has left the terminal, and takes no signals.
class Parent {
 public:
  Parent(pid_t pid, int pipe) noexcept;

  // Keeps no descriptor open but `kept`, if it is one, and returns its new number: nobody shall
  // wait for the end of a stream because of this process. Before listening.
  int close_others(int kept) noexcept;

  enum class Said { something, closed, died };
  // Waits until the parent says something of `size` bytes, or has its end of the pipe closed, or
  // until the thread that forked is gone: a process in which another one waits in the kernel is
  // killed, but keeps its descriptors. What was said comes first.
  Said listen(void* words, std::size_t size) noexcept;
  // Waits for the end of the pipe, whoever else has it.
  void wait_until_closed() noexcept;

 private:
  bool has_died() noexcept;

  pid_t pid_;
  int pipe_;
  int death_;
};

// Owns the child.
class ParentWatcher {
 public:
  // Forks. `life` is what the child does, which ends with it. From the process's main thread,
  // before the first other one: only that thread's end is told. Throws Error.
  explicit ParentWatcher(const std::function<void(Parent&)>& life);
  ~ParentWatcher();  // closes the pipe, and waits for the child
  ParentWatcher(const ParentWatcher&) = delete;
  ParentWatcher& operator=(const ParentWatcher&) = delete;

  void say(const void* words, std::size_t size) noexcept;
  int pipe() const { return pipe_.get(); }
  pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = -1;
  Descriptor pipe_;  // closed on exec
};

}  // namespace zctrace::fuse
