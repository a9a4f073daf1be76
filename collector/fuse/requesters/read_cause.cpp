// SPDX-License-Identifier: MIT
// Classifies by syscall number, with the numbers of this build's architecture.
#include "collector/fuse/requesters/read_cause.h"

#include <sys/syscall.h>

#include <atomic>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <memory>

#include "collector/fuse/requesters/proc_file.h"

namespace zctrace::fuse {
namespace {

// How long to wait for the background reader. Reading takes some ten microseconds, or more on a
// busy machine.
constexpr std::chrono::milliseconds kPatience(50);

// A 32-bit task shows numbers of its own table. Its read (3) and pread64 (180) are in neither list,
// so such a task is undecided rather than misclassified.
bool reads_files(long number) {
  switch (number) {
    case SYS_read:
    case SYS_pread64:
    case SYS_readv:
    case SYS_preadv:
    case SYS_preadv2:
    case SYS_sendfile:
    case SYS_splice:
    case SYS_copy_file_range:
    case SYS_readahead:
    case SYS_fadvise64:
    case SYS_io_uring_enter:
    case SYS_io_submit:
    case SYS_execve:
    case SYS_execveat: return true;
    default: return false;
  }
}

bool handles_mappings(long number) {
  switch (number) {
    case SYS_mmap:
    case SYS_mremap:
    case SYS_madvise:
    case SYS_mlock:
    case SYS_mlock2:
    case SYS_mlockall: return true;
    default: return false;
  }
}

TaskInspection inspect_now(int proc, pid_t tid) noexcept {
  thread_local TaskSyscallFile file;
  char text[256];
  // The kernel checks ptrace permission at read, not at open.
  const ssize_t length = file.read(proc, tid, text, sizeof(text));
  if (length < 0) return {TaskState::elsewhere, length == -EACCES || length == -EPERM};
  return {state_in({text, static_cast<std::size_t>(length)}), false};
}

}  // namespace

TaskState state_of(long call) {
  if (call == -1) return TaskState::faulting;
  if (reads_files(call)) return TaskState::reading;
  return handles_mappings(call) ? TaskState::mapping : TaskState::elsewhere;
}

TaskState state_in(std::string_view proc_syscall) {
  if (proc_syscall.starts_with("-1 ")) return TaskState::faulting;
  long number = 0;
  const char* const end = proc_syscall.data() + proc_syscall.size();
  const auto parsed = std::from_chars(proc_syscall.data(), end, number);
  if (parsed.ec != std::errc() || parsed.ptr == end || *parsed.ptr != ' ' || number < 0)
    return TaskState::elsewhere;
  return state_of(number);
}

TaskInspector::TaskInspector(int proc, unsigned serving, unsigned of_a_queue, bool for_everyone)
    : proc_(proc), may_look_(of_a_queue - 1) {
  for (unsigned i = 0; i < (for_everyone ? serving : 1); ++i)
    readers_.push_back(std::make_unique<BackgroundReader>(BackgroundReader::AtTheEnd::leave));
}

bool TaskInspector::may_look_here() noexcept {
  unsigned left = may_look_;
  while (left != 0)
    if (may_look_.compare_exchange_weak(left, left - 1)) return true;
  return false;
}

BackgroundReader& TaskInspector::reader_of_this_thread() {
  static std::atomic<std::size_t> threads{0};
  thread_local const std::size_t ordinal = threads++;
  return *readers_[ordinal % readers_.size()];
}

TaskInspection TaskInspector::inspect(pid_t tid, bool trusted) {
  if (trusted && may_look_here()) {
    const TaskInspection look = inspect_now(proc_, tid);
    ++may_look_;
    return look;
  }
  const auto look = std::make_shared<TaskInspection>();
  const bool seen = reader_of_this_thread().run(
      [look, proc = proc_, tid] { *look = inspect_now(proc, tid); }, kPatience);
  return seen ? *look : TaskInspection();
}

}  // namespace zctrace::fuse
