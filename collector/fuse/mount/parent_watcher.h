// SPDX-License-Identifier: MIT
// A child process that waits for the end of the process that forked it, whatever the cause.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <functional>
#include <optional>
#include <span>

#include "collector/os/child.h"
#include "collector/os/descriptor.h"

namespace zctrace::fuse {

// The parent as seen from the child. The child has left the terminal and blocks all signals.
class Parent {
 public:
  Parent(pid_t pid, int pipe) noexcept;

  // Closes all descriptors except those `kept`, which get new numbers; -1 stays -1. Otherwise this
  // child would keep streams open that other processes read to the end. Call it before receive().
  void close_others(std::span<int* const> kept) noexcept;

  enum class Received { message, closed, died };
  // Waits until the parent sends a message of `size` bytes, closes its end of the pipe, or until
  // the thread that forked has ended. The last matters because a killed process keeps its
  // descriptors while another of its threads waits in the kernel. Messages that were sent before
  // come first.
  Received receive(void* message, std::size_t size) noexcept;
  // Waits until every process that has the other end of the pipe has closed it.
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
  // Forks. The child runs `life` and then exits. Call it from the process's main thread before it
  // starts another thread: the kernel reports the end of the forking thread only. Throws Error.
  explicit ParentWatcher(const std::function<void(Parent&)>& life);
  ~ParentWatcher();  // closes the pipe and waits for the child
  ParentWatcher(const ParentWatcher&) = delete;
  ParentWatcher& operator=(const ParentWatcher&) = delete;

  void send(const void* message, std::size_t size) noexcept;
  int pipe() const { return pipe_.get(); }
  pid_t pid() const { return child_->pid(); }

 private:
  Descriptor pipe_;  // closed on exec
  std::optional<Child> child_;
};

}  // namespace zctrace::fuse
