// SPDX-License-Identifier: MIT
// Whether a signal waits to be delivered to a task that waits for its answer.
//
// The kernel reports such a signal as an interrupt. But Linux 6.14 and later lose the interrupt of
// a request that goes by io_uring if the signal comes before the daemon has taken the request, and
// libfuse loses it if the daemon reads it before the request. Not even SIGKILL would then end the
// wait. Read from /proc/TID/status, which any user may read and which does not block.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string_view>

namespace zctrace::fuse {

// `status`: the text of /proc/TID/status. Signals that are blocked do not count. Nor does a signal
// for a process with several threads, because another one may be about to take it; one that ends
// the process is pending for each thread.
bool has_pending_signal(std::string_view status) noexcept;

// Looks now and then whether a task has a signal pending. For one thread at a time.
class SignalWatch {
 public:
  static constexpr std::chrono::milliseconds kBetweenLooks{100};

  // `proc` must stay open. `tid` 0: a task that we cannot see, which never counts as interrupted.
  SignalWatch(int proc, pid_t tid) noexcept : proc_(proc), tid_(tid) {}
  // Call it as often as is convenient: most calls do nothing.
  bool interrupted(std::chrono::steady_clock::time_point now) noexcept;

 private:
  int proc_;
  pid_t tid_;
  std::chrono::steady_clock::time_point next_look_{};
};

}  // namespace zctrace::fuse
