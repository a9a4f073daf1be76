// SPDX-License-Identifier: MIT
// These files return everything that fits in one read.
#include "collector/fuse/requesters/proc_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <utility>

namespace zctrace::fuse {
namespace {

constexpr std::size_t kUsualStatus = 8192;  // a user with many groups has more

thread_local std::uint64_t calls = 0;

int open_proc_file(int proc, const char* name) noexcept {
  ++calls;
  return ::openat(proc, name, O_RDONLY | O_CLOEXEC);
}

ssize_t read_from_start(int file, char* text, std::size_t size) noexcept {
  for (;;) {
    ++calls;
    const ssize_t n = ::pread(file, text, size, 0);
    if (n >= 0) return n;
    if (errno != EINTR) return -errno;
  }
}

}  // namespace

ssize_t read_proc_file(int proc, const char* name, char* text, std::size_t size) noexcept {
  const Descriptor file(open_proc_file(proc, name));
  if (!file) return -errno;
  ++calls;  // close
  return read_from_start(file.get(), text, size);
}

ssize_t TaskSyscallFile::read(int proc, pid_t tid, char* text, std::size_t size) noexcept {
  if (file_ && tid_ == tid) {
    const ssize_t n = read_from_start(file_.get(), text, size);
    if (n != -ESRCH) return n;  // ESRCH: it has ended, and another task may have its number
  }
  char name[32];
  std::snprintf(name, sizeof(name), "%d/syscall", static_cast<int>(tid));
  if (file_) ++calls;  // close
  file_.reset();
  tid_ = tid;
  file_.reset(open_proc_file(proc, name));
  return file_ ? read_from_start(file_.get(), text, size) : -errno;
}

std::uint64_t take_proc_calls() noexcept { return std::exchange(calls, 0); }

std::string task_status(int proc, pid_t tid) {
  const std::string name = std::to_string(tid) + "/status";
  std::string status(kUsualStatus, '\0');
  for (;;) {
    const ssize_t n = read_proc_file(proc, name.c_str(), status.data(), status.size());
    if (n < 0) return {};
    if (static_cast<std::size_t>(n) < status.size()) {
      status.resize(static_cast<std::size_t>(n));
      return status;
    }
    status.resize(2 * status.size());
  }
}

}  // namespace zctrace::fuse
