// SPDX-License-Identifier: MIT
// Reads small files of /proc on serving threads, and counts the system calls that this costs.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "collector/os/descriptor.h"

namespace zctrace::fuse {

// Reads up to `size` bytes of a file below `proc`. Returns a negative errno on failure.
ssize_t read_proc_file(int proc, const char* name, char* text, std::size_t size) noexcept;

// /proc/TID/syscall of the task whose file was read last. It stays open, because a task usually
// sends many requests in a row: reading it again is one system call instead of three. For one
// thread.
class TaskSyscallFile {
 public:
  // Like read_proc_file(). A descriptor of /proc always means the same task, so a task that has
  // ended is never taken for one that got its number.
  ssize_t read(int proc, pid_t tid, char* text, std::size_t size) noexcept;

 private:
  pid_t tid_ = 0;
  Descriptor file_;
};

// The number of system calls that the functions above have made in this thread since the last call
// of this function. They are the daemon's calls, but do not serve the file system.
std::uint64_t take_proc_calls() noexcept;

// The text of /proc/TID/status; empty if it cannot be read. Any user may read it, and that does not
// block while the task is inside the kernel. Throws std::bad_alloc.
std::string task_status(int proc, pid_t tid);

}  // namespace zctrace::fuse
